using ChatGenius.Db.Templates;

namespace ChatGenius.Tests.Templates;

public class ColumnSpecTests
{
    [Theory]
    [InlineData("emoji:text", "emoji TEXT NOT NULL")]
    [InlineData("note:text?", "note TEXT")]
    [InlineData("note?:text", "note TEXT")]
    [InlineData("count:int=0", "count INTEGER NOT NULL DEFAULT 0")]
    [InlineData("count:int?=0", "count INTEGER DEFAULT 0")]
    [InlineData("big:bigint=-5", "big BIGINT NOT NULL DEFAULT -5")]
    [InlineData("price:numeric(10,2)", "price NUMERIC(10, 2) NOT NULL")]
    [InlineData("name:varchar(40)", "name VARCHAR(40) NOT NULL")]
    [InlineData("name:character varying(40)", "name VARCHAR(40) NOT NULL")]
    [InlineData("at:timestamptz", "at TIMESTAMP WITH TIME ZONE NOT NULL")]
    [InlineData("at:timestamptz(3)", "at TIMESTAMP(3) WITH TIME ZONE NOT NULL")]
    [InlineData("at:timestamptz=now", "at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP")]
    [InlineData("at:timestamptz=now()", "at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now()")]
    [InlineData("at:timestamp=2026-01-01 10", "at TIMESTAMP NOT NULL DEFAULT '2026-01-01 10'")]
    [InlineData("day:date=now", "day DATE NOT NULL DEFAULT CURRENT_DATE")]
    [InlineData("ok:bool=yes", "ok BOOLEAN NOT NULL DEFAULT true")]
    [InlineData("status:text='open'", "status TEXT NOT NULL DEFAULT 'open'")]
    [InlineData("status:text=open", "status TEXT NOT NULL DEFAULT 'open'")]
    [InlineData("status:text=", "status TEXT NOT NULL DEFAULT ''")]
    [InlineData("status:text=It's", "status TEXT NOT NULL DEFAULT 'It''s'")]
    [InlineData("status:text=lower('A')", "status TEXT NOT NULL DEFAULT lower('A')")]
    [InlineData("status:text=NULL", "status TEXT NOT NULL DEFAULT NULL")]
    [InlineData("tags:text[]", "tags TEXT[] NOT NULL")]
    [InlineData("tags:text[]={}", "tags TEXT[] NOT NULL DEFAULT '{}'")]
    [InlineData("grid:int[3][]?", "grid INTEGER[3][]")]
    [InlineData("meta:jsonb={\"a\": \"b:c}\"}", "meta JSONB NOT NULL DEFAULT '{\"a\": \"b:c}\"}'")]
    [InlineData("meta:jsonb='{}'::jsonb", "meta JSONB NOT NULL DEFAULT '{}'::jsonb")]
    [InlineData("key:uuid=gen_random_uuid()", "key UUID NOT NULL DEFAULT gen_random_uuid()")]
    [InlineData("length:interval=1 day", "length INTERVAL NOT NULL DEFAULT '1 day'")]
    [InlineData("n:double precision", "n DOUBLE PRECISION NOT NULL")]
    [InlineData("cost:money=10", "cost MONEY NOT NULL DEFAULT 10")]
    [InlineData("mood:public.mood", "mood public.mood NOT NULL")]
    [InlineData("mood:\"Mood\"[]?", "mood \"Mood\"[]")]
    [InlineData("v:public.vector(3)", "v public.vector(3) NOT NULL")]
    [InlineData("number:bigint:identity", "number BIGINT GENERATED ALWAYS AS IDENTITY NOT NULL")]
    [InlineData("userName:text", "user_name TEXT NOT NULL")]
    [InlineData("order:int", "order INTEGER NOT NULL")]
    [InlineData("\"My Column\":TEXT", "My Column TEXT NOT NULL")]
    [InlineData("message:references", "message_id UUID NOT NULL -> messages.id CASCADE")]
    [InlineData("message_id:references", "message_id UUID NOT NULL -> messages.id CASCADE")]
    [InlineData("category:references?", "category_id UUID -> categories.id CASCADE")]
    [InlineData("status:references", "status_id UUID NOT NULL -> statuses.id CASCADE")]
    [InlineData("owner:references(users):restrict", "owner_id UUID NOT NULL -> users.id RESTRICT")]
    [InlineData("owner:references(users)?:setnull", "owner_id UUID -> users.id SET NULL")]
    [InlineData("owner:references(users)?:set_null", "owner_id UUID -> users.id SET NULL")]
    [InlineData("owner:references(\"order\")", "owner_id UUID NOT NULL -> order.id CASCADE")]
    [InlineData("kind:text:references( \"a.b\" . \"va\"\"l\" ):restrict", "kind TEXT NOT NULL -> a.b.va\"l RESTRICT")]
    [InlineData("owner:bigint:references(people.number):noaction", "owner BIGINT NOT NULL -> people.number NO ACTION")]
    [InlineData("price:int=1:check(price > 0 AND price <> ':')", "price INTEGER NOT NULL DEFAULT 1 check(price > 0 AND price <> ':')")]
    [InlineData("email:text:unique", "email TEXT NOT NULL unique()")]
    [InlineData("emoji:text:unique(message,user, emoji):index", "emoji TEXT NOT NULL unique(message,user,emoji) index()")]
    [InlineData("slug", "slug")]
    [InlineData("slug=general", "slug = 'general'")]
    public void A_column_is_read(string argument, string expected)
    {
        var column = ColumnSpec.ParseAll([argument]).ShouldHaveSingleItem();

        Describe(column).ShouldBe(expected);
    }

    [Theory]
    [InlineData("emoji:txt", "CG0803", 7, 3, "text")]
    [InlineData("emoji:serial", "CG0803", 7, 6, "integer:identity")]
    [InlineData("emoji:mood", "CG0803", 7, 4, "public.mood")]
    [InlineData("price:numeric(10,2,1)", "CG0803", 14, 8, "numeric(10,2)")]
    [InlineData("price:varchar(0)", "CG0803", 14, 3, "varchar(40)")]
    [InlineData("price:varchar(99999999999999999999)", "CG0803", 14, 22, "varchar(40)")]
    [InlineData("price:uuid(3)", "CG0803", 11, 3, "varchar(40)")]
    [InlineData("price:text:uniqe", "CG0804", 12, 5, "Did you mean unique?")]
    [InlineData("price:text:", "CG0804", 12, 1, "unique")]
    [InlineData("price:text:cascade", "CG0804", 12, 7, "references")]
    [InlineData("owner:references:setnull", "CG0804", 18, 7, "?")]
    [InlineData("count:int=many", "CG0805", 11, 4, "count:int=0")]
    [InlineData("ok:bool=maybe", "CG0805", 9, 5, "pinned:boolean=false")]
    [InlineData("count:int=", "CG0805", 11, 1, "count:int=0")]
    [InlineData("", "CG0802", 1, 1, "name:type")]
    [InlineData(":text", "CG0802", 1, 1, "name:type")]
    [InlineData("1st:text", "CG0802", 1, 1, "name:type")]
    [InlineData("größe:text", "CG0802", 3, 1, "name:type")]
    [InlineData("😀:text", "CG0802", 1, 1, "double quotes")]
    [InlineData("a:text!", "CG0802", 7, 1, "name:type")]
    [InlineData("a:numeric(10", "CG0802", 10, 1, "quotes")]
    [InlineData("a:text:check", "CG0802", 8, 5, "check(price>0)")]
    [InlineData("a:text:check()", "CG0802", 8, 7, "check(price>0)")]
    [InlineData("a:text:unique(b", "CG0802", 16, 1, "unique(message,user)")]
    [InlineData("a:text:identity", "CG0802", 8, 8, "bigint")]
    [InlineData("a:references(x.y.z)", "CG0802", 14, 5, "users.email")]
    [InlineData("a:references()", "CG0802", 14, 1, "users.email")]
    [InlineData("a:references(x.)", "CG0802", 14, 2, "users.email")]
    [InlineData("a:references(\"x\"y)", "CG0802", 14, 4, "users.email")]
    [InlineData("a:references(b)=5", "CG0805", 17, 1, "gen_random_uuid()")]
    [InlineData("\"a:text", "CG0802", 1, 7, "name:type")]
    [InlineData("\"\":text", "CG0802", 1, 2, "name:type")]
    [InlineData("a:text[", "CG0803", 7, 1, "text[]")]
    [InlineData("a:int=('x'", "CG0802", 7, 4, "Close")]
    public void What_can_not_be_read_is_a_problem_that_points_at_the_character(string argument, string code, int column, int width,
        string advice)
    {
        var problem = Should.Throw<ProblemException>(() => ColumnSpec.ParseAll([argument])).Problems.ShouldHaveSingleItem();

        (problem.Code, problem.Where!.Path, problem.Where.Line, problem.Where.Column, problem.Where.Width, problem.Where.LineText)
            .ShouldBe((code, "argument 2", 1, column, width, argument));
        problem.Advice.ShouldNotBeNull().ShouldContain(advice);
    }

    [Fact]
    public void All_arguments_are_read_and_every_problem_is_reported()
    {
        var problems = Should.Throw<ProblemException>(() => ColumnSpec.ParseAll(["a:txt", "b:text", "c:text:nix", "b:int"])).Problems;

        problems.Select(problem => $"{problem.Code} {problem.Where}")
            .ShouldBe(["CG0803 argument 2:1:3", "CG0804 argument 4:1:8", "CG0806 argument 5:1:1"]);
    }

    [Fact]
    public void A_name_over_63_bytes_is_a_problem() =>
        Should.Throw<ProblemException>(() => ColumnSpec.ParseAll([$"\"{new string('ä', 32)}\":text"])).Problems[0].Code.ShouldBe("CG0802");

    private static string Describe(ColumnSpec column) =>
        column.Name
        + (column.Type is null ? "" : $" {column.Type}")
        + (column.Identity ? " GENERATED ALWAYS AS IDENTITY" : "")
        + (column.Type is null || column.Nullable ? "" : " NOT NULL")
        + (column.Default is null ? "" : column.Type is null ? $" = {column.Default}" : $" DEFAULT {column.Default}")
        + (column.References is { } target ? $" -> {target.Table}.{target.Column} {target.OnDelete}" : "")
        + string.Concat(column.Checks.Select(check => $" check({check})"))
        + string.Concat(column.Uniques.Select(list => $" unique({string.Join(',', list.Names.Select(name => name.Name))})"))
        + string.Concat(column.Indexes.Select(list => $" index({string.Join(',', list.Names.Select(name => name.Name))})"));
}
