using System.Xml;
using System.Xml.Linq;
using ChatGenius.Db.Schema;
using ChatGenius.Tests.Support;

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

    [BrowserTheory]
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
