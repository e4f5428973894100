using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Imports;

/// <summary>The files in which tools keep what their migrations are, and in which order.</summary>
internal static partial class ImportLists
{
    private const string Journal = "meta/_journal.json";
    private const string Plan = "sqitch.plan";

    /// <summary>Drizzle's journal; its newer versions have a folder a migration instead. Its table has the hash of each file.</summary>
    public static IReadOnlyList<ImportEntry> OfDrizzle(ImportTool tool, ImportFolder folder, List<Problem> problems)
    {
        if (!folder.Files.Contains(Journal))
        {
            return [.. ImportReader.ByName(tool, folder).Select(entry => entry with { Key = HashOf(folder, entry.Path) })];
        }

        var source = folder.Read(Journal);
        var entries = new List<ImportEntry>();
        try
        {
            using var journal = JsonDocument.Parse(source.Utf8);
            foreach (var one in journal.RootElement.GetProperty("entries").EnumerateArray())
            {
                var tag = one.GetProperty("tag").GetString()!;
                var file = $"{tag}.sql";
                if (!folder.Files.Contains(file))
                {
                    problems.Add(Missing(folder.Shown(file), source.At(Math.Max(0, source.Utf8.Span.IndexOf(Utf8(tag))))));
                    continue;
                }

                var parts = Tag().Match(tag);
                entries.Add(new ImportEntry(parts.Groups["version"].Value, parts.Groups["name"].Value, HashOf(folder, file), file, null));
            }
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            problems.Add(new Problem("CG1503", $"{source.Path} is not a journal of Drizzle: {e.Message}"));
        }

        return entries;
    }

    /// <summary>
    /// The plan of sqitch. Of a change that is planned twice, the earlier one is in files that are named after the tag between the two.
    /// </summary>
    public static IReadOnlyList<ImportEntry> OfSqitch(ImportTool tool, ImportFolder folder, List<Problem> problems)
    {
        var settings = SqitchSettings(folder);
        var top = settings.GetValueOrDefault("top_dir", "");
        var (deploy, revert) = (settings.GetValueOrDefault("deploy_dir", Below(top, "deploy")),
            settings.GetValueOrDefault("revert_dir", Below(top, "revert")));
        var reworked = settings.GetValueOrDefault("reworked_dir");
        var (oldDeploy, oldRevert) = (
            settings.GetValueOrDefault("reworked_deploy_dir", reworked is null ? deploy : Below(reworked, "deploy")),
            settings.GetValueOrDefault("reworked_revert_dir", reworked is null ? revert : Below(reworked, "revert")));
        var plan = folder.Files.Contains(Plan) ? Plan : settings.GetValueOrDefault("plan_file", Below(top, Plan));
        if (!folder.Files.Contains(plan))
        {
            return [];
        }

        var source = folder.Read(plan);
        var planned = new List<(string Change, string File, int At)>();
        foreach (var (at, line) in source.Lines())
        {
            if (PlanLine().Match(line) is { Success: true } match)
            {
                var (mark, name) = (match.Groups["mark"].Value, match.Groups["name"].Value);
                if (mark == "@")
                {
                    // The scripts of what comes before it are renamed when the change is planned again.
                    planned = [.. planned.Select(one => one.File == one.Change ? one with { File = $"{one.Change}\t{name}" } : one)];
                }
                else if (mark == "-")
                {
                    problems.Add(new Problem(
                        "CG1503", "This can't be carried over: the plan reverts a change", source.At(at, line.Length)));
                }
                else
                {
                    planned.Add((name, name, at));
                }
            }
        }

        var entries = new List<ImportEntry>();
        for (var i = 0; i < planned.Count; i++)
        {
            var (change, file, place) = planned[i];
            var isLast = !planned.Skip(i + 1).Any(later => later.Change == change);
            var script = isLast ? change : file.Replace('\t', '@');
            var end = $"{script}.{settings.GetValueOrDefault("extension", "sql")}";
            var (up, down) = (Below(isLast ? deploy : oldDeploy, end), Below(isLast ? revert : oldRevert, end));
            if (!folder.Files.Contains(up))
            {
                problems.Add(Missing(folder.Shown(up), source.At(place)));
                continue;
            }

            entries.Add(new ImportEntry("", change, change, up, folder.Files.Contains(down) ? down : null));
        }

        return entries;
    }

    /// <summary>What <c>sqitch.conf</c> says of its core; what it says of PostgreSQL's engine goes before.</summary>
    private static Dictionary<string, string> SqitchSettings(ImportFolder folder)
    {
        var (core, engine, section) = (new Dictionary<string, string>(), new Dictionary<string, string>(), "");
        foreach (var (_, line) in folder.Files.Contains("sqitch.conf") ? folder.Read("sqitch.conf").Lines() : [])
        {
            if (ConfSection().Match(line) is { Success: true } named)
            {
                section = named.Groups["name"].Value.ToLowerInvariant();
            }
            else if (section is "core" or "engine \"pg\"" && ConfValue().Match(line) is { Success: true } set)
            {
                var value = set.Groups["value"].Value.Trim('"');
                (section == "core" ? core : engine)[set.Groups["key"].Value.ToLowerInvariant()] =
                    string.Join('/', value.Split('/', '\\').Where(part => part is not ("" or ".")));
            }
        }

        return engine.Concat(core).DistinctBy(one => one.Key).ToDictionary();
    }

    private static string Below(string folder, string file) => folder.Length == 0 ? file : $"{folder}/{file}";

    private static Problem Missing(string file, SourceLocation where) =>
        new("CG1503", $"{file} is not there", where, "Bring it back: its migration has to be carried over with the others.");

    private static byte[] Utf8(string text) => System.Text.Encoding.UTF8.GetBytes(text);

    private static string HashOf(ImportFolder folder, string file)
    {
        OpenSsl.Require();
        return Convert.ToHexStringLower(SHA256.HashData(folder.Read(file).Utf8.Span));
    }

    [GeneratedRegex(@"^(?<version>\d*)_?(?<name>.*)$")]
    private static partial Regex Tag();

    [GeneratedRegex(@"^\s*\[\s*(?<name>[^\]]*?)\s*\]")]
    private static partial Regex ConfSection();

    [GeneratedRegex(@"^\s*(?<key>\w+)\s*=\s*(?<value>[^#;]*?)\s*(?:[#;].*)?$")]
    private static partial Regex ConfValue();

    [GeneratedRegex(@"^\s*(?<mark>[-+@]?)\s*(?<name>[^\s%#@+\[\]-][^\s\[\]#]*)")]
    private static partial Regex PlanLine();
}
