using ChatGenius.Db.Sql;

namespace ChatGenius.Tests.Sql;

public class SqlLexerTests
{
    [Theory]
    [InlineData("select _a$1 ä日😀 \u00a0x", "Word:select Word:_a$1 Word:ä日😀 Word:\u00a0x")]
    [InlineData("\"a\"\"b\" U&\"d\\0061\" u&\"\" U & \"x\"",
        "QuotedIdentifier:\"a\"\"b\" QuotedIdentifier:U&\"d\\0061\" QuotedIdentifier:u&\"\" Word:U Operator:& QuotedIdentifier:\"x\"")]
    [InlineData("'a''b' '\\' ''", "StringConstant:'a''b' StringConstant:'\\' StringConstant:''")]
    [InlineData("E'\\'' e'\\\\' ne'\\'", "StringConstant:E'\\'' StringConstant:e'\\\\' Word:ne StringConstant:'\\'")]
    [InlineData("B'01'X'1f'N'a''b'U&'\\'", "StringConstant:B'01' StringConstant:X'1f' StringConstant:N'a''b' StringConstant:U&'\\'")]
    [InlineData("b'1''0'", "StringConstant:b'1' StringConstant:'0'")]
    [InlineData("$$a$b$$ $x$ $$ $X$ $x$ $ä1$;$ä1$",
        "DollarStringConstant:$$a$b$$ DollarStringConstant:$x$ $$ $X$ $x$ DollarStringConstant:$ä1$;$ä1$")]
    [InlineData("a$$b$$ 1$$;$$ $1$$;$$", "Word:a$$b$$ Number:1 DollarStringConstant:$$;$$ Parameter:$1 DollarStringConstant:$$;$$")]
    [InlineData("$1 $23a $ $a", "Parameter:$1 Parameter:$23 Word:a Symbol:$ Symbol:$ Word:a")]
    [InlineData("1 1. .5 1.5e3 1E-3 1e+2 1_000.5_0 0x1F 0b01 0o17 0x_1",
        "Number:1 Number:1. Number:.5 Number:1.5e3 Number:1E-3 Number:1e+2 Number:1_000.5_0 Number:0x1F Number:0b01 Number:0o17 "
        + "Number:0x_1")]
    [InlineData("1..10 1e 1a t.1 0x", "Number:1 Operator:.. Number:10 Number:1 Word:e Number:1 Word:a Word:t Number:.1 Number:0 Word:x")]
    [InlineData("a::b c:=1 d[1:2] :x",
        "Word:a Operator::: Word:b Word:c Operator::= Number:1 Word:d Symbol:[ Number:1 Symbol:: Number:2 Symbol:] Symbol:: Word:x")]
    [InlineData("a=-1 b<>+2 c@-3 d*-+4 e->>'f' g-- h",
        "Word:a Operator:= Operator:- Number:1 Word:b Operator:<> Operator:+ Number:2 Word:c Operator:@- Number:3 Word:d Operator:* "
        + "Operator:- Operator:+ Number:4 Word:e Operator:->> StringConstant:'f' Word:g LineComment:-- h")]
    [InlineData("+--x\n*/*y*/<-|->", "Operator:+ LineComment:--x Operator:* BlockComment:/*y*/ Operator:<-|->")]
    [InlineData("/* a /* b */ ' */c/**/d/***//*/**/*/",
        "BlockComment:/* a /* b */ ' */ Word:c BlockComment:/**/ Word:d BlockComment:/***/ BlockComment:/*/**/*/")]
    [InlineData("--a\r--b\r\n--c\n--", "LineComment:--a LineComment:--b LineComment:--c LineComment:--")]
    [InlineData("(a,b);\\x{", "OpenParenthesis:( Word:a Symbol:, Word:b CloseParenthesis:) Semicolon:; Backslash:\\ Word:x Symbol:{")]
    [InlineData("'abc", "UnterminatedString:'abc")]
    [InlineData("E'\\", "UnterminatedString:E'\\")]
    [InlineData("\"a\"\"", "UnterminatedIdentifier:\"a\"\"")]
    [InlineData("$a$ $A$", "UnterminatedDollarString:$a$ $A$")]
    [InlineData("/* /* */", "UnterminatedComment:/* /* */")]
    public void Each_token_is_what_the_server_takes_it_for(string sql, string tokens)
    {
        Lex(sql).ShouldBe(tokens);
    }

    [Theory]
    [InlineData("'a'\n'b'", "StringConstant:'a' StringContinuation:'b'")]
    [InlineData("'a' 'b'", "StringConstant:'a' StringConstant:'b'")]
    [InlineData("'a' -- c 'd'\r\n --\n'b'\r'e'",
        "StringConstant:'a' LineComment:-- c 'd' LineComment:-- StringContinuation:'b' StringContinuation:'e'")]
    [InlineData("'a' /* */\n'b'", "StringConstant:'a' BlockComment:/* */ StringConstant:'b'")]
    [InlineData("'a' ,\n'b'", "StringConstant:'a' Symbol:, StringConstant:'b'")]
    [InlineData("E'a'\n'\\'b'", "StringConstant:E'a' StringContinuation:'\\'b'")]
    [InlineData("X'a'\n'b''c'", "StringConstant:X'a' StringContinuation:'b' StringConstant:'c'")]
    [InlineData("'a'\nE'b'", "StringConstant:'a' StringConstant:E'b'")]
    public void A_string_goes_on_after_a_line_break(string sql, string tokens)
    {
        Lex(sql).ShouldBe(tokens);
    }

    [Theory]
    [InlineData("'\\'' N'\\'' $$\\$$ \"\\\"",
        "StringConstant:'\\'' StringConstant:N'\\'' DollarStringConstant:$$\\$$ QuotedIdentifier:\"\\\"")]
    [InlineData("B'\\' U&'\\'", "StringConstant:B'\\' StringConstant:U&'\\'")]
    public void Without_standard_conforming_strings_a_backslash_escapes_in_ordinary_strings(string sql, string tokens)
    {
        Lex(sql, standardConformingStrings: false).ShouldBe(tokens);
    }

    [Fact]
    public void A_long_row_of_signs_or_comment_starts_takes_linear_time()
    {
        // Quadratic time would be hours here.
        Count(string.Concat(Enumerable.Repeat("+-", 1_000_000))).ShouldBe(2_000_000);
        Count(string.Concat(Enumerable.Repeat("/*", 1_000_000))).ShouldBe(1);
        Count(string.Concat(Enumerable.Repeat("$a", 1_000_000))).ShouldBe(2);
        Count(string.Concat(Enumerable.Repeat("'a' -- b\n", 500_000))).ShouldBe(1_000_000);
    }

    private static int Count(string sql)
    {
        var count = 0;
        foreach (var _ in new SqlLexer(Encoding.UTF8.GetBytes(sql)))
        {
            count++;
        }

        return count;
    }

    private static string Lex(string sql, bool standardConformingStrings = true)
    {
        var utf8 = Encoding.UTF8.GetBytes(sql);
        var tokens = new List<string>();
        foreach (var token in new SqlLexer(utf8, 0, standardConformingStrings))
        {
            tokens.Add($"{token.Kind}:{Encoding.UTF8.GetString(utf8[token.Start..token.End])}");
        }

        return string.Join(' ', tokens);
    }
}
