using System.Security.Cryptography;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Files;

/// <summary>A migration without its number.</summary>
/// <param name="Name">snake_case, what is between the number and <c>.sql</c>.</param>
/// <param name="Text">The whole file, with LF line endings.</param>
internal sealed record ScaffoldedMigration(string Name, string Text);

/// <summary>How new migrations get their numbers.</summary>
/// <param name="Now">For those that are numbered by time.</param>
/// <param name="ByTime">Whether they are, although none was before.</param>
/// <param name="Again">Whether a migration of the same name may be there.</param>
internal sealed record Numbering(DateTimeOffset Now, bool ByTime = false, bool Again = false);

/// <summary>A file as it was written.</summary>
/// <param name="Name">Its name in the folder.</param>
/// <param name="Checksum">SHA-256 of its bytes, in hexadecimal.</param>
internal sealed record WrittenFile(string Name, string Checksum)
{
    /// <summary>A file as it is now.</summary>
    public static WrittenFile Of(string path)
    {
        OrdinaryFile.Require(path);
        return new(System.IO.Path.GetFileName(path), Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))));
    }
}

/// <summary>The project's migrations folder where files are added and renamed: one run at a time.</summary>
internal sealed class MigrationFolder
{
    /// <summary>
    /// The file that one run at a time can create. <c>CreateNew</c> on the migration alone would not do: two runs that add different names
    /// see the same highest number and would both take the next one. The kernel's file locks would not do either, because where a lock file
    /// is to be removed again, a third run can lock the removed one.
    /// </summary>
    private const string LockName = ".chatgenius-db.lock";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <param name="path">The folder as the user named it; need not be there.</param>
    public MigrationFolder(string path) => Path = path;

    /// <summary>The folder as the user named it.</summary>
    public string Path { get; }

    /// <summary>Writes migrations under the next numbers, all or none.</summary>
    /// <param name="migrations">In the order they are to be applied.</param>
    /// <param name="taken">The files' names of migrations elsewhere: in the bundle, in the history.</param>
    /// <param name="numbering">How they get their numbers, and whether a name may be there already.</param>
    /// <param name="cancellationToken">Ends the waiting for another run.</param>
    /// <returns>The paths of the new files.</returns>
    /// <exception cref="ProblemException">
    /// CG0813: the folder can't be written to; CG0814: another run keeps it locked; CG0815: no number is left; CG0820: a name is there.
    /// </exception>
    public async Task<IReadOnlyList<string>> AddAsync(
        IReadOnlyList<ScaffoldedMigration> migrations, IReadOnlyCollection<string> taken, Numbering numbering,
        CancellationToken cancellationToken = default)
    {
        using var held = await LockAsync(cancellationToken);
        var names = taken.Concat(Names()).ToList();
        if (!numbering.Again)
        {
            RequireNew(migrations, names);
        }

        var numbers = names.Select(MigrationNumber.Of).OfType<long>().ToList();
        var files = new List<(string Name, string Text)>();
        foreach (var migration in migrations)
        {
            numbers.Add(MigrationNumber.Next(numbers, numbering.Now, numbering.ByTime));
            files.Add(($"{MigrationNumber.Format(numbers[^1])}_{migration.Name}.sql", migration.Text));
        }

        return Write(files);
    }

    /// <summary>Writes what an import has made, all or nothing, and the table of where it comes from.</summary>
    /// <param name="plan">Gets the names in the folder, and decides while no other run can add one.</param>
    /// <param name="numbers">What the table says of the tool; its lines of other tools stay.</param>
    /// <param name="cancellationToken">Ends the waiting for another run.</param>
    /// <returns>The paths of the new files.</returns>
    /// <exception cref="ProblemException">CG0813, CG0814 as for <see cref="AddAsync"/>; CG1505; and what the plan throws.</exception>
    public async Task<IReadOnlyList<string>> ImportAsync(
        Func<IReadOnlyList<string>, IReadOnlyList<(string Name, string Text)>> plan, IReadOnlyList<ImportedNumber> numbers,
        CancellationToken cancellationToken = default)
    {
        using var held = await LockAsync(cancellationToken);
        var files = plan(Names());
        var tools = numbers.Select(one => one.Tool).ToHashSet();
        var table = ImportedNumbers.Text(ImportedNumbers.Read(Path).Where(one => !tools.Contains(one.Tool)).Concat(numbers));
        return Write(files, () => WholeFile.Write(
            System.IO.Path.Combine(Path, ImportedNumbers.FileName), System.Text.Encoding.UTF8.GetBytes(table), overwrite: true));
    }

    private List<string> Write(IEnumerable<(string Name, string Text)> files, Action? andThen = null)
    {
        var written = new List<string>();
        try
        {
            foreach (var (name, text) in files)
            {
                var path = System.IO.Path.Combine(Path, name);
                Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
                WholeFile.Write(path, System.Text.Encoding.UTF8.GetBytes(text), overwrite: false);
                written.Add(path);
            }

            andThen?.Invoke();
            return written;
        }
        catch (Exception e)
        {
            // Half a set of migrations that belong together would be applied as if it were whole.
            written.ForEach(File.Delete);
            throw e is IOException or UnauthorizedAccessException ? NotWritable(e) : e;
        }
    }

    private static void RequireNew(IReadOnlyList<ScaffoldedMigration> migrations, List<string> names)
    {
        var there = migrations.SelectMany(migration => names.Where(name => MigrationNumber.Of(name) is not null
            && Stem(name)[(name.IndexOf('_', StringComparison.Ordinal) + 1)..] == migration.Name)).ToList();
        if (there.Count > 0)
        {
            throw new ProblemException([.. there.Distinct().Select(name => new Problem(
                "CG0820", $"There is a migration of this name: {name}",
                Advice: "Two that make the same thing own it together, and the down of one takes it from the other. Change that one, "
                    + "choose another name, or add --again."))]);
        }
    }

    /// <summary>Deletes files that are as they were written, all or none.</summary>
    /// <param name="files">Names and what the files held.</param>
    /// <param name="cancellationToken">Ends the waiting for another run.</param>
    /// <exception cref="ProblemException">CG0813, CG0814 as for <see cref="AddAsync"/>; CG0103: one can't be read; CG0821: one was
    /// changed, or is gone.</exception>
    public async Task TakeBackAsync(IReadOnlyList<WrittenFile> files, CancellationToken cancellationToken = default)
    {
        using var held = await LockAsync(cancellationToken);
        var changed = files.Where(file => !IsAsWritten(System.IO.Path.Combine(Path, file.Name), file)).ToList();
        if (changed.Count > 0)
        {
            throw new ProblemException([.. changed.Select(file => new Problem(
                "CG0821", $"{System.IO.Path.Combine(Path, file.Name)} is not as it was written any more",
                Advice: "Nothing was deleted. Delete yourself what you don't need."))]);
        }

        foreach (var file in files)
        {
            File.Delete(System.IO.Path.Combine(Path, file.Name));
        }
    }

    private static bool IsAsWritten(string path, WrittenFile file)
    {
        try
        {
            return File.Exists(path) && WrittenFile.Of(path) == file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw OrdinaryFile.Unreadable(path, e);
        }
    }

    /// <summary>Gives files new numbers, all or none, and what lies beside them under the same name (<c>0006_x.trace.json</c>) with
    /// them; the table of an import then has the new ones.</summary>
    /// <param name="plan">Gets the names in the folder, and decides while no other run can add one.</param>
    /// <param name="andThen">What belongs to it: where it fails, the files get their names back.</param>
    /// <param name="cancellationToken">Ends the waiting for another run.</param>
    /// <returns>What was renamed, in the order of the new numbers.</returns>
    /// <exception cref="ProblemException">CG0813: the folder can't be written to; CG0814: another run keeps it locked; and what the plan
    /// throws.</exception>
    public async Task<IReadOnlyList<NewNumber>> RenumberAsync(
        Func<IReadOnlyList<string>, IReadOnlyList<NewNumber>> plan, Func<Task>? andThen = null,
        CancellationToken cancellationToken = default)
    {
        if (!Directory.Exists(Path))
        {
            return plan([]);
        }

        using var held = await LockAsync(cancellationToken);
        var names = Names();
        var renames = plan(names);
        var done = new Stack<(string From, string To)>();
        Action? putBack = null;
        try
        {
            // Numbers only grow: from the last one down, a file moves to a name that is free.
            foreach (var rename in renames.Reverse())
            {
                var (from, to) = (Stem(rename.From), Stem(rename.To));
                foreach (var name in names.Where(name => name.StartsWith(from + ".", StringComparison.Ordinal)))
                {
                    var (source, target) = (System.IO.Path.Combine(Path, name), System.IO.Path.Combine(Path, to + name[from.Length..]));
                    File.Move(source, target, overwrite: false);
                    done.Push((source, target));
                }
            }

            putBack = ImportedNumbers.Rename(Path, renames);
            await (andThen?.Invoke() ?? Task.CompletedTask);
            return renames;
        }
        catch (Exception e)
        {
            foreach (var (from, to) in done)
            {
                File.Move(to, from, overwrite: false);
            }

            putBack?.Invoke();

            throw e is IOException or UnauthorizedAccessException ? NotWritable(e) : e;
        }
    }

    private static string Stem(string name) => name.EndsWith(".sql", StringComparison.Ordinal) ? name[..^4] : name;

    private List<string> Names() => [.. Directory.EnumerateFileSystemEntries(Path).Select(path => System.IO.Path.GetFileName(path))];

    private async Task<FileStream> LockAsync(CancellationToken cancellationToken)
    {
        var path = System.IO.Path.Combine(Path, LockName);
        var until = TimeProvider.System.GetTimestamp();
        for (var failures = 0; ;)
        {
            try
            {
                Directory.CreateDirectory(Path);
                return new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
            }
            catch (IOException) when (File.Exists(path) && TimeProvider.System.GetElapsedTime(until) < Patience)
            {
                failures = 0;
            }
            catch (IOException e) when (File.Exists(path))
            {
                throw new ProblemException(
                    "CG0814", $"Another run keeps {Path} locked",
                    advice: $"Wait for it to end. If none runs, one was killed: delete {path}", cause: e);
            }
            catch (IOException) when (++failures < 3)
            {
                // The other run's lock went away between the attempt and the look at it.
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw NotWritable(e);
            }

            await Task.Delay(Random.Shared.Next(5, 30), cancellationToken);
        }
    }

    private ProblemException NotWritable(Exception e) =>
        new(new Problem("CG0813", $"The migrations folder {Path} can't be written to: {e.Message}",
            Advice: "Check its permissions and the room on the disk."), e);
}
