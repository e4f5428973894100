using System.Globalization;
using ChatGenius.Db.Files;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Imports;

/// <summary>What becomes of a migration of another tool.</summary>
internal enum ImportState
{
    /// <summary>Its file is written.</summary>
    New,

    /// <summary>The folder has it already, as an earlier import wrote it.</summary>
    There,

    /// <summary>The bundle has a migration of its number and name.</summary>
    InBundle,
}

/// <summary>A migration of another tool with its place among ours.</summary>
/// <param name="From">What was read.</param>
/// <param name="File">The name of its file here.</param>
/// <param name="State">What becomes of it.</param>
/// <param name="Migration">The file as it is read back; null for <see cref="ImportState.InBundle"/>.</param>
internal sealed record ImportedFile(ImportedMigration From, string File, ImportState State, Migration? Migration)
{
    /// <summary>Whether it has no number, and runs again whenever it changes.</summary>
    public bool IsRepeatable => Migration is { Version: 0 };

    /// <summary>Whether there is no way back.</summary>
    public bool IsIrreversible => Migration is { Version: > 0, Down.Irreversible: true } && WrittenDown is null;

    /// <summary>A down section that was found out later, its directive included; it may have questions that are still open.</summary>
    public string? WrittenDown { get; init; }

    /// <summary>Why it is a draft; null where it is not.</summary>
    public Problem? Refused => State == ImportState.InBundle ? null : From.Refused;

    /// <summary>What is written.</summary>
    public string Text => WrittenDown is null ? Migration!.Source.All()
        : Migration!.Source.Substring(0, Migration.Down.Start) + WrittenDown;

    /// <summary>The same with another down section; one without statements and questions changes nothing.</summary>
    public ImportedFile WithDown(string section) => section.Contains("cgdb:todo", StringComparison.Ordinal)
        || MigrationParser.ParseSection(SourceText.From(File, section)).Script.Statements.Count > 0
            ? this with { WrittenDown = section } : this;
}

/// <summary>
/// Gives the migrations of another tool their numbers and texts in our format. Pure. A number is kept where it is one of ours and larger
/// than the one before it; what has no such number gets the next one: 0000, 0001 become 0001, 0002, and of two 0131 the second is 0132.
/// </summary>
internal static class ImportPlan
{
    /// <summary>Decides for all.</summary>
    /// <param name="tool">What the tool is called.</param>
    /// <param name="migrations">In that tool's order.</param>
    /// <param name="bundle">The migrations that travel with us; none where the project leaves them out.</param>
    /// <param name="folder">Where they are to be written.</param>
    /// <param name="there">The files that are there.</param>
    /// <exception cref="ProblemException">CG1504: another file has a number, or the same file another content; CG0815: no number is
    /// left.</exception>
    public static IReadOnlyList<ImportedFile> Of(
        string tool, IReadOnlyList<ImportedMigration> migrations, IReadOnlyList<Migration> bundle, string folder,
        IReadOnlyList<string> there)
    {
        var files = new List<ImportedFile>();
        var problems = new List<Problem>();
        var taken = there.Where(name => name.EndsWith(".sql", StringComparison.OrdinalIgnoreCase))
            .ToLookup(MigrationNumber.Of);
        var last = bundle.Select(migration => migration.Version).DefaultIfEmpty(0).Max();
        foreach (var migration in migrations)
        {
            var number = NumberOf(migration.Version);
            if (bundle.FirstOrDefault(one => one.Version == number && one.Name == migration.Name) is { } bundled)
            {
                files.Add(new ImportedFile(migration, $"{bundled.Id}.sql", ImportState.InBundle, null));
                continue;
            }

            last = number > last ? number.Value : last < MigrationNumber.Highest ? last + 1 : MigrationNumber.Next([last], default);
            var name = $"{MigrationNumber.Format(last, number is null ? 0 : migration.Version.Length)}_{migration.Name}.sql";
            var path = Path.Combine(folder, name);
            try
            {
                var file = new ImportedFile(
                    migration, name, ImportState.New,
                    MigrationParser.Parse(SourceText.From(path, Text(tool, migration)), MigrationOrigin.Folder));
                files.Add(taken[last].Any() ? BesideOthers(file, path, [.. taken[last]], problems) : file);
            }
            catch (ProblemException e)
            {
                problems.AddRange(e.Problems);
            }
        }

        return problems.Count == 0 ? files : throw new ProblemException(problems);
    }

    /// <summary>The same for what the tool runs again whenever it changes.</summary>
    /// <exception cref="ProblemException">CG0328 to CG0331 as for <see cref="Repeatable.From"/>; CG1504: two of one name, or the file is
    /// there with another content.</exception>
    public static IReadOnlyList<ImportedFile> OfRepeatables(string tool, IReadOnlyList<ImportedMigration> repeatables, string folder)
    {
        var files = new List<ImportedFile>();
        var problems = new List<Problem>();
        foreach (var repeatable in repeatables)
        {
            var name = Path.Combine(Repeatable.FolderName, $"{repeatable.Name}.sql");
            var path = Path.Combine(folder, name);
            var own = Repeatable.From(SourceText.From(path, Origin(tool, repeatable) + repeatable.Up), problems);
            var isThere = File.Exists(path);
            if (files.Exists(file => file.File == name)
                || (isThere && !Repeatable.From(SourceText.Read(path), problems).Up.IsSameAs(own.Up)) || !repeatable.UpInTransaction)
            {
                problems.Add(new Problem(
                    "CG1504", $"{repeatable.Source} can't become {path}: " + (!repeatable.UpInTransaction ? "it can't run in a transaction"
                        : isThere ? "that is there, and is another one" : "another one becomes that"),
                    Advice: "Change a copy of the file, and import that."));
            }

            files.Add(new ImportedFile(repeatable, name, isThere ? ImportState.There : ImportState.New, own));
        }

        return problems.Count == 0 ? files : throw new ProblemException(problems);
    }

    private static long? NumberOf(string version) =>
        long.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= MigrationNumber.Highest
            ? number : null;

    /// <summary>What an earlier import has written is left as it is, with what was done to its down since.</summary>
    private static ImportedFile BesideOthers(ImportedFile file, string path, List<string> names, List<Problem> problems)
    {
        var other = names.Find(name => name != file.File);
        if (other is null && MigrationParser.Parse(SourceText.Read(path), MigrationOrigin.Folder, long.MaxValue) is var own
            && (own.Up.IsSameAs(file.Migration!.Up) || file.From.Refused is not null))
        {
            // Somebody has written as SQL what could not be read.
            var mended = !own.Up.IsSameAs(file.Migration.Up);
            return file with
            {
                State = ImportState.There, Migration = own, From = mended ? file.From with { Refused = null } : file.From,
            };
        }

        problems.Add(new Problem(
            "CG1504",
            other is null ? $"{path} is there, and its up section is not that of {file.From.Source}"
                : $"{file.From.Source} would be {file.File}, and {other} has that number",
            Advice: "Nothing was written. Take that file away, or name an empty folder with --migrations DIR."));
        return file;
    }

    private static string Text(string tool, ImportedMigration migration)
    {
        var down = migration.Down ?? "";
        var (hasUp, hasDown) = (HasStatements(migration.Up), HasStatements(down));
        return Origin(tool, migration)
            + $"-- migrate:up{(migration.UpInTransaction ? "" : " transaction:false")}\n{Lines(migration.Up)}\n"
            + $"-- migrate:down{(migration.DownInTransaction || !hasDown ? "" : " transaction:false")}"
            + (hasUp && !hasDown ? $" irreversible:true\n{migration.WhyNoDown ?? $"-- {tool} has no statements that undo it."}\n" : "\n")
            + Lines(down);
    }

    private static string Origin(string tool, ImportedMigration migration) =>
        $"-- Imported from {tool}: {string.Concat(migration.Origin.Select(c => char.IsControl(c) ? '?' : c))}\n";

    private static string Lines(string text) => text.Length == 0 || text.EndsWith('\n') ? text : text + "\n";

    private static bool HasStatements(string text)
    {
        var problems = new List<Problem>();
        return Sql.SqlScript.Parse(SourceText.From("", text), 0, System.Text.Encoding.UTF8.GetByteCount(text), null, problems)
            .Statements.Count > 0 || problems.Count > 0;
    }
}
