using System.Xml;
using System.Xml.Linq;
using ChatGenius.Db.Schema;

namespace ChatGenius.Tests.Schema;

public class SchemaPageTests
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    [Fact]
    public async Task The_page_is_well_formed_names_every_object_and_needs_nothing_beside_itself()
    {
        await using var database = await SchemaCase.BuildAsync("difficult.sql");
        var snapshot = await SchemaCase.ReadAsync(database);

        var html = SchemaPage.Html(snapshot, "a <b> & \"c\"");

        var page = Parse(html);
        var ids = page.Descendants().Select(e => (string?)e.Attribute("id")).OfType<string>().ToList();
        ids.ShouldBeUnique();
        page.Descendants("h3").Count().ShouldBe(snapshot.Objects.Count);
        var links = page.Descendants().Where(e => e.Name.LocalName == "a").Select(e => (string)e.Attribute("href")!).ToList();
        links.ShouldAllBe(l => l.StartsWith('#'));
        links.Select(l => l[1..]).Except(ids).ShouldBeEmpty();
        page.Descendants().Attributes().ShouldNotContain(a => a.Name.LocalName == "src");
        page.Descendants("script").ShouldHaveSingleItem().Value.ShouldBe(SchemaPage.Script);
        page.Descendants("title").Single().Value.ShouldBe("a <b> & \"c\": database schema");
    }

    [NeedsTheory(Need.Browser)]
    [InlineData(1200, false)]
    [InlineData(500, false)]
    [InlineData(1200, true)]
    public async Task The_page_is_readable_in_a_browser(int width, bool dark)
    {
        await using var database = await SchemaCase.BuildAsync("difficult.sql");

        await Browser.ShouldBeReadableAsync(SchemaPage.Html(await SchemaCase.ReadAsync(database), "shop"), width, dark);
    }

    [NeedsFact(Need.Browser)]
    public async Task The_pages_own_script_runs_under_its_policy_and_no_other_does()
    {
        var html = SchemaPage.Html(Two, "shop");

        var shown = await Browser.OpenAsync(html.Replace("</body>", "<script>document.title = 'foreign'</script></body>",
            StringComparison.Ordinal), 1200);

        shown.ShouldContain("class=\"drawing live\"");
        shown.ShouldContain("<title>shop: database schema</title>");
    }

    [NeedsFact(Need.Browser)]
    public async Task A_click_and_the_keyboard_find_a_table_and_its_neighbours()
    {
        const string Question =
            """
            (() => {
                const [svg, search, stage] = ['svg', '#search', '.drawing'].map(q => document.querySelector(q));
                const table = id => document.querySelector(`.table[data-id="${id}"]`), answers = [];
                const state = () => answers.push([
                    [...svg.querySelectorAll('.table:not(.far) .name')].map(t => t.textContent).join(' '),
                    document.querySelector('#said').textContent, svg.viewBox.baseVal.width.toFixed(0)].join(' | '));
                const press = (where, key) => where.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
                state();
                table('table-s.posts').dispatchEvent(new MouseEvent('click', { bubbles: true })); state();
                press(stage, 'Escape'); state();
                press(stage, '+'); press(stage, '0'); state();
                search.value = 'alone'; search.dispatchEvent(new Event('input')); state();
                press(search, 'Enter'); state();
                answers.push([...document.querySelectorAll('nav li:not([hidden])')].map(one => one.textContent.trim()).join(' '));
                return answers;
            })()
            """;
        var answers = (await Browser.AskAsync(SchemaPage.Html(Two, "shop"), Question, 1200)).EnumerateArray().Select(a => a.GetString())
            .ToList();

        var all = answers[0]![(answers[0]!.LastIndexOf('|') + 2)..];
        answers.ShouldBe([
            $"s.alone s.posts s.users |  | {all}", $"s.posts s.users | s.posts; refers to s.users | {all}",
            $"s.alone s.posts s.users |  | {all}",
            $"s.alone s.posts s.users |  | {all}", $"s.alone s.posts s.users | 1 table | {all}", answers[5], "s.alone"]);
        answers[5]!.ShouldStartWith("s.alone | s.alone | ");
        answers[5]!.ShouldNotEndWith($" {all}");
    }

    [Fact]
    public void The_drawing_by_itself_and_as_Mermaid_says_the_same()
    {
        var svg = XDocument.Parse(SchemaDiagram.Svg(Two, id: null));
        svg.Descendants(Svg + "a").ShouldBeEmpty();
        svg.Descendants(Svg + "text").Select(t => t.Value).ShouldContain("author");

        SchemaDiagram.Mermaid(Two).ShouldBe(
            """
            erDiagram
                t0["s.alone"] {
                    timestamp_with_time_zone at
                }
                t1["s.posts"] {
                    bigint id PK
                    bigint author FK
                }
                t2["s.users"] {
                    bigint id PK
                }
                t2 |o--o{ t1 : "author"

            """);
    }

    private static readonly SchemaSnapshot Two = new(
    [
        new("table", "s.alone", [new("column at", "timestamp with time zone")]),
        new("table", "s.posts",
        [
            new("column id", "bigint NOT NULL"), new("column author", "bigint"), new("constraint posts_pkey", "PRIMARY KEY (id)"),
            new("constraint posts_author_fkey", "FOREIGN KEY (author) REFERENCES s.users(id)"),
        ]),
        new("table", "s.users", [new("column id", "bigint NOT NULL"), new("constraint users_pkey", "PRIMARY KEY (id)")]),
    ]);

    [Fact]
    public async Task The_page_holds_columns_comments_and_references()
    {
        await using var database = await SchemaCase.BuildAsync("difficult.sql");
        var page = Parse(SchemaPage.Html(await SchemaCase.ReadAsync(database), "shop"));

        var posts = page.Descendants("section").Single(s => (string?)s.Attribute("aria-labelledby") == "table-app.posts");
        posts.Descendants("tr").Select(r => string.Join("|", r.Elements("td").Select(d => d.Value)))
            .ShouldContain("author|bigint|NOT NULL|");
        posts.Descendants("a").ShouldContain(a => (string?)a.Attribute("href") == "#table-app.users");
        var users = page.Descendants("section").Single(s => (string?)s.Attribute("aria-labelledby") == "table-app.users");
        users.Value.ShouldContain("People: who they are");
        users.Value.ShouldContain("referred to by app.posts, app.events");
        var drawn = page.Descendants(Svg + "g").Single(g => (string?)g.Attribute("data-id") == "table-app.posts");
        drawn.Descendants(Svg + "text").Select(t => t.Value).Take(5).ShouldBe(["app.posts", "id", "integer", "author", "bigint"]);
        page.Descendants(Svg + "title").Single().Value.ShouldContain("app.posts refers to app.users");
    }

    [Fact]
    public void What_looks_like_a_page_stays_text_in_every_field()
    {
        const string Evil = "</style><script>alert(\"1\" + '2')</script> & \u0001";
        static string Quoted(string name) => $"\"{name}{Evil.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
        const string Unquoted = "a" + Evil;
        SchemaObject One(string kind, string name, string target) => new(kind, name,
        [
            new("comment", Evil + "\n" + Evil),
            new("column " + Evil, $"{Evil} STORAGE {Evil}"),
            new("comment on column " + Evil, Evil),
            new("constraint " + Evil, $"FOREIGN KEY (x) REFERENCES {target}(x) {Evil}"),
            new("definition " + Evil, Evil + "\n" + Evil),
        ]);
        var snapshot = new SchemaSnapshot(
            [One("table", Quoted("a"), Quoted("b")), One("table", Quoted("b"), Quoted("a")), One(Evil, Evil, Evil)]);

        var html = SchemaPage.Html(snapshot, Evil, timeline: [new TimelineEntry(Evil, Evil, Evil, Evil, new HashSet<string> { Unquoted })]);

        html.Split("<script").Length.ShouldBe(2);
        var page = Parse(html);
        page.Descendants("script").ShouldHaveSingleItem().Value.ShouldBe(SchemaPage.Script);
        page.Descendants("style").ShouldHaveSingleItem();
        page.Descendants("section").Count().ShouldBe(4);
        page.Descendants(Svg + "text").Count().ShouldBe(6);
        page.Descendants("td").Count(cell => cell.Value.EndsWith(Evil[..^1], StringComparison.Ordinal)).ShouldBe(16);
    }

    [Fact]
    public void A_page_of_any_length_is_whole()
    {
        var facts = Enumerable.Range(0, 150).Select(i => new SchemaFact($"index i{i}", "USING btree (a)")).ToList();
        var snapshot = new SchemaSnapshot([.. Enumerable.Range(0, 1000).Select(i => new SchemaObject("table", $"t{i}", facts))]);

        Parse(SchemaPage.Html(snapshot, "large")).Descendants("li").Count().ShouldBe(151_000);
    }

    [Fact]
    public async Task The_same_stands_in_Markdown()
    {
        await using var database = await SchemaCase.BuildAsync("one-order.sql");

        await SchemaCase.MatchAsync(database, SchemaPage.Markdown(await SchemaCase.ReadAsync(database), "shop"), "md");
    }

    [Fact]
    public async Task A_comment_brings_no_tags_into_Markdown()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync("CREATE TABLE a (b int); COMMENT ON TABLE a IS E'\\\\<img src=x>'; COMMENT ON COLUMN a.b IS '<b>'");

        var page = SchemaPage.Markdown(await SchemaCase.ReadAsync(database), "<i>");

        page.ShouldNotContain('<');
        page.ShouldContain("\\&lt;img src=x>");
    }

    private static XDocument Parse(string html)
    {
        using var reader = XmlReader.Create(new StringReader(html), new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore });
        return XDocument.Load(reader);
    }
}
