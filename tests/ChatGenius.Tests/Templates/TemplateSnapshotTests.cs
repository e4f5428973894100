using ChatGenius.Db.Templates;

namespace ChatGenius.Tests.Templates;

/// <summary>Every built-in template with several inputs: the text is approved by hand. <see cref="TemplateRunTests"/> runs it.</summary>
public class TemplateSnapshotTests
{
    public static TheoryData<string> Names => [.. TemplateCalls.All.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void The_text_is_as_approved(string call)
    {
        var text = new StringBuilder();
        var scaffold = TemplateCalls.Render(call);
        foreach (var (migration, i) in scaffold.Migrations.Select((migration, i) => (migration, i)))
        {
            text.Append(CultureInfo.InvariantCulture, $"{(i == 0 ? "" : "\n")}-- ==== {6 + i:0000}_{migration.Name}.sql\n{migration.Text}");
        }

        Snapshot.Match(text.ToString(), "sql", call);
    }

    [Fact]
    public void Every_built_in_template_has_several_snapshots()
    {
        var calls = TemplateCalls.All.Keys.CountBy(call => TemplateCalls.Render(call).Template.Name).ToDictionary();

        new TemplateCatalog().List().Select(info => info.Name).Where(name => calls.GetValueOrDefault(name) < 2).ShouldBeEmpty();
    }

    [Fact]
    public void Every_template_says_what_it_is_and_shows_an_example()
    {
        foreach (var info in new TemplateCatalog().List())
        {
            info.Summary.ShouldNotBeEmpty(info.Name);
            info.Example.ShouldNotBeNull(info.Name);
        }
    }

    [Fact]
    public void Every_example_of_a_header_renders_with_its_own_template()
    {
        foreach (var info in new TemplateCatalog().List())
        {
            var words = ShellWords.Split(info.Example!);
            words[0].ShouldBe("new");
            TemplateCalls.Render([.. words.Skip(1)]).Template.Name.ShouldBe(info.Name, info.Example);
        }
    }
}
