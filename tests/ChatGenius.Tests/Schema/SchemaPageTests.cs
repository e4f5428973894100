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
        page.Descendants(Svg + "text").Select(t => t.Value).ShouldContain("app.posts");
        page.Descendants(Svg + "title").Single().Value.ShouldContain("app.posts refers to app.users");
    }

    [Fact]
    public void What_looks_like_a_page_stays_text_in_every_field()
    {
        const string Evil = "</style><script>alert(\"1\" + '2')</script> & \u0001";
        static string Quoted(string name) => $"\"{name}{Evil.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
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

        var html = SchemaPage.Html(snapshot, Evil);

        html.ShouldNotContain("<script", Case.Insensitive);
        var page = Parse(html);
        page.Descendants("script").ShouldBeEmpty();
        page.Descendants("style").ShouldHaveSingleItem();
        page.Descendants("section").Count().ShouldBe(3);
        page.Descendants(Svg + "text").Count().ShouldBe(2);
        page.Descendants("td").Count(cell => cell.Value.EndsWith(Evil[..^1], StringComparison.Ordinal)).ShouldBe(12);
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

    private static XDocument Parse(string html)
    {
        using var reader = XmlReader.Create(new StringReader(html), new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore });
        return XDocument.Load(reader);
    }
}
