using ChatGenius.Db.Sql;
using ChatGenius.Db.Text;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace ChatGenius.Tests.Sql;

/// <summary>What holds for every text, however strange.</summary>
[Chances(usually: 300)]
public class SqlPropertyTests
{
    /// <summary>What is closed in itself: nearly every row of these is SQL as far as the lexer knows.</summary>
    private static readonly string[] Closed =
    [
        " ", "\n", "\r\n", "\t", ";", ";", ";;", "'a'", "'a;b'", "'a''b'", "''", "E'\\''", "e'\\\\;'", "U&'\\'", "u&\"a\"", "N';'", "B'01'",
        "X'1f'", "\"a;\"", "\"\"\"\"", "$$;$$", "$a$ ' $a$", "$1",
        "-- c\n", "-- ;'\r\n", "--\n", "/* ; */", "/* /* ' */ */", "/**/", "+", "-", "@", "=", "*", "/", "::", ":=", ":", "..", ".", "1",
        "1.5e3", "0x1F", "1_0", "a", "e", "ä", "日本", "😀", "_", "[", "]", ",",
        "(a; b)", "(case)", "select ", " end; ", "case ", " as ",
        "create function f() begin atomic select 1; select case when a then b end; end;",
        "create rule r as on insert to t do (select 1; select 2);",
        ";copy t from stdin;\n1\t2\n\\.\n", ";copy t (a) from stdin with (format csv); -- c\r\n';\r\n\\.\r\n",
        ";set standard_conforming_strings = off;", ";reset all;", ";begin;", ";set local standard_conforming_strings to off;", ";commit;",
    ];

    /// <summary>What is left open, or wrong.</summary>
    private static readonly string[] Open =
    [
        "(", ")", "'", "E'", "N'", "X'", "U&'\\", "\"", "u&\"", "$", "$$", "$a$", "--", "/*", "*/", "\\", "\\.\n", "\n\\.\n", "\\i x\n",
        "\0", "create function f() begin atomic ", "begin atomic ", "copy t from stdin;\n",
        "copy t from stdin; select", "copy t to stdout",
    ];

    [Property]
    public Property The_statements_and_the_gaps_between_them_are_the_file() => Prop.ForAll(ClosedSql(), sql =>
    {
        if (TryParse(sql) is not { } script)
        {
            return;
        }

        var utf8 = Encoding.UTF8.GetBytes(sql);
        var tiled = new StringBuilder();
        var position = 0;
        foreach (var statement in script.Statements)
        {
            statement.Start.ShouldBeGreaterThanOrEqualTo(position);
            statement.End.ShouldBeGreaterThan(statement.Start);
            var gap = utf8[position..statement.Start];
            AssertHasNoSql(gap);
            tiled.Append(Encoding.UTF8.GetString(gap)).Append(statement.Text);
            position = statement.End;
            if (statement.IsCopyFromStdin)
            {
                // The rest of its line, the rows and the end mark: the rows are taken to the letter, so that what follows them is found by
                // their length.
                var rows = Array.IndexOf(utf8, (byte)'\n', position) + 1;
                utf8.AsSpan(rows, statement.CopyData.Length).SequenceEqual(statement.CopyData.Span).ShouldBeTrue();
                var end = Array.IndexOf(utf8, (byte)'\n', rows + statement.CopyData.Length) is var found and >= 0 ? found + 1 : utf8.Length;
                Encoding.UTF8.GetString(utf8[(rows + statement.CopyData.Length)..end]).TrimEnd('\r', '\n').ShouldBe("\\.");
                tiled.Append(Encoding.UTF8.GetString(utf8[position..end]));
                position = end;
            }
        }

        AssertHasNoSql(utf8[position..]);
        tiled.Append(Encoding.UTF8.GetString(utf8[position..])).ToString().ShouldBe(sql);
    });

    [Property]
    public Property A_statement_alone_is_the_same_statement() => Prop.ForAll(ClosedSql(), sql =>
    {
        foreach (var statement in TryParse(sql)?.Statements.Where(s => !s.IsCopyFromStdin) ?? [])
        {
            // With standard_conforming_strings off, the text means something else elsewhere; that is what the setting does.
            if (!sql.Contains("standard_conforming_strings", StringComparison.Ordinal))
            {
                TryParse(statement.Text).ShouldNotBeNull().Statements.ShouldHaveSingleItem().Text.ShouldBe(statement.Text);
            }
        }
    });

    [Property]
    public Property Comments_and_white_space_between_tokens_do_not_count() => Prop.ForAll(ClosedSql(), sql =>
    {
        if (TryParse(sql) is not { } script || script.Statements.Any(s => s.IsCopyFromStdin))
        {
            return;
        }

        var utf8 = Encoding.UTF8.GetBytes(sql);
        var spaced = new StringBuilder();
        var line = 0;
        foreach (var statement in script.Statements)
        {
            foreach (var token in statement.Tokens())
            {
                // A line break would join two strings, and where one joins them, it must stay.
                var comment = token.Kind is SqlTokenKind.LineComment or SqlTokenKind.BlockComment;
                var space = token.Kind == SqlTokenKind.StringContinuation ? "\r\n--x;'\n" : line++ % 2 == 0 ? " /* ; ' */\t" : " ";
                spaced.Append(comment ? "" : space + Encoding.UTF8.GetString(utf8[token.Start..token.End]));
            }

            spaced.Append("; ;");
        }

        SqlScript.Parse(SourceText.From("g.sql", spaced.ToString())).Checksum.ShouldBe(script.Checksum);
    });

    [Property]
    public Property Two_scripts_have_one_checksum_only_if_their_tokens_are_the_same() => Prop.ForAll(TwoLikeScripts(), pair =>
    {
        if (TryParse(pair.One) is { } one && TryParse(pair.Other) is { } other)
        {
            (one.Checksum == other.Checksum).ShouldBe(TokensOf(one).SequenceEqual(TokensOf(other)));
        }
    });

    [Property]
    public Property Bytes_of_any_kind_are_read_or_refused_and_never_more(byte[] bytes) => Prop.ToProperty(() =>
    {
        var position = 0;
        foreach (var token in new SqlLexer(bytes))
        {
            token.Start.ShouldBeGreaterThanOrEqualTo(position);
            token.End.ShouldBeInRange(token.Start + 1, bytes.Length);
            position = token.End;
        }

        try
        {
            SqlScript.Parse(SourceText.From("f.sql", bytes));
        }
        catch (ProblemException e)
        {
            e.Problems.ShouldAllBe(p => p.Code.StartsWith("CG0", StringComparison.Ordinal));
        }
    });

    [Fact]
    public void Most_of_the_texts_made_here_are_SQL()
    {
        var texts = ClosedSql().Generator.Sample(500, 30);

        texts.Count(t => TryParse(t) is not null).ShouldBeGreaterThan(200);
        texts.Count(t => TryParse(t) is { Statements.Count: > 3 }).ShouldBeGreaterThan(100);
    }

    [Property]
    public Property Every_problem_has_its_place_in_the_file() => Prop.ForAll(TrickySql(), sql =>
    {
        try
        {
            SqlScript.Parse(SourceText.From("f.sql", sql));
        }
        catch (ProblemException e)
        {
            foreach (var problem in e.Problems)
            {
                problem.Code.ShouldStartWith("CG02");
                problem.Where.ShouldNotBeNull().Line.ShouldBeInRange(1, 1 + sql.Count(c => c is '\n' or '\r'));
                problem.Advice.ShouldNotBeNullOrEmpty();
            }
        }
    });

    private static Arbitrary<string> ClosedSql() => Gen.Elements(Closed).ListOf().Select(string.Concat).ToArbitrary();

    private static Arbitrary<string> TrickySql() => Gen.Elements((string[])[.. Closed, .. Open]).ListOf().Select(string.Concat)
        .ToArbitrary();

    /// <summary>The second has one piece more than the first.</summary>
    private static Arbitrary<(string One, string Other)> TwoLikeScripts() =>
        (from pieces in Gen.Elements(Closed).ListOf()
         from at in Gen.Choose(0, pieces.Count)
         from more in Gen.Elements(Closed)
         select (string.Concat(pieces), string.Concat(pieces.Take(at).Append(more).Concat(pieces.Skip(at))))).ToArbitrary();

    private static SqlScript? TryParse(string sql)
    {
        try
        {
            return SqlScript.Parse(SourceText.From("f.sql", sql));
        }
        catch (ProblemException)
        {
            return null;
        }
    }

    private static void AssertHasNoSql(byte[] gap)
    {
        foreach (var token in new SqlLexer(gap))
        {
            token.Kind.ShouldBeOneOf(SqlTokenKind.Semicolon, SqlTokenKind.LineComment, SqlTokenKind.BlockComment);
        }
    }

    private static List<string> TokensOf(SqlScript script)
    {
        var tokens = new List<string>();
        foreach (var statement in script.Statements)
        {
            foreach (var token in statement.Tokens())
            {
                if (token.Kind is not (SqlTokenKind.LineComment or SqlTokenKind.BlockComment))
                {
                    tokens.Add($"{token.Kind == SqlTokenKind.StringContinuation}{script.Source.Substring(token.Start, token.End)}");
                }
            }

            var rows = Encoding.UTF8.GetString(statement.CopyData.Span).Replace("\r\n", "\n", StringComparison.Ordinal);
            tokens.Add($"{statement.IsCopyFromStdin}{rows}");
        }

        return tokens;
    }
}
