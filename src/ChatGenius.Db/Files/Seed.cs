using ChatGenius.Db.Sql;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Files;

/// <summary>A file of rows that belong to development or tests: run again whenever that is asked for, in a transaction.</summary>
/// <param name="Path">As a person names it.</param>
/// <param name="Section">Its statements.</param>
internal sealed record Seed(string Path, MigrationSection Section)
{
    /// <summary>The folder, in that of the migrations.</summary>
    public const string FolderName = "seed";

    /// <summary>Reads the seeds of a folder of migrations: those for every environment, and then the chosen one's.</summary>
    /// <param name="migrations">The folder of the migrations; that or its seeds need not be there.</param>
    /// <param name="environment">The environment, whose seeds lie in a folder of its name; null for none.</param>
    /// <returns>Each folder's in the order of their names.</returns>
    /// <exception cref="ProblemException">All problems of all files: CG01xx, CG02xx; CG1403: it says BEGIN or COMMIT.</exception>
    public static IReadOnlyList<Seed> Load(string migrations, string? environment)
    {
        var folder = System.IO.Path.Combine(migrations, FolderName);
        var isName = System.IO.Path.GetFileName(environment) == environment && environment is not ("." or "..");
        var ofEnvironment = environment is not null && isName ? System.IO.Path.Combine(folder, environment) : null;
        var seeds = new List<Seed>();
        var problems = new List<Problem>();
        foreach (var path in ((string?[])[folder, ofEnvironment]).OfType<string>().Where(Directory.Exists).SelectMany(Files))
        {
            try
            {
                var source = SourceText.Read(path);
                var script = SqlScript.Parse(source);
                problems.AddRange(script.Statements.Where(statement => statement.TransactionControl != SqlTransactionControl.None)
                    .Select(statement => new Problem(
                        "CG1403", $"{statement.Words(1)[0]} in a seed, which runs in a transaction", statement.Location, "Take it out.")));
                seeds.Add(new Seed(path, new MigrationSection(Transactional: true, Irreversible: false, Start: 0, script)));
            }
            catch (ProblemException e)
            {
                problems.AddRange(e.Problems);
            }
        }

        return problems.Count == 0 ? seeds : throw new ProblemException(problems);
    }

    private static IEnumerable<string> Files(string folder) => Directory.EnumerateFiles(folder, "*.sql")
        .Where(path => !System.IO.Path.GetFileName(path).StartsWith('.')).Order(StringComparer.Ordinal);
}
