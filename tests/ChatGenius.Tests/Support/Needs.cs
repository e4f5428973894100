using ChatGenius.Tests.Faults;

namespace ChatGenius.Tests.Support;

/// <summary>What some tests need and not every machine has.</summary>
public enum Need
{
    /// <summary>npm, which fetches the newest PostgreSQL.</summary>
    Npm,

    /// <summary>Chromium.</summary>
    Browser,

    /// <summary>PgBouncer.</summary>
    PgBouncer,

    /// <summary>Node.js.</summary>
    Node,

    /// <summary>pytest.</summary>
    Pytest,

    /// <summary>Go.</summary>
    Go,

    /// <summary>A disk that can be full: the right to mount one.</summary>
    SmallDisk,
}

/// <summary>
/// A test that needs something. Where that is missing, the test is skipped and says why; where <c>CI</c> is set, it runs and fails.
/// </summary>
public sealed class NeedsFactAttribute : FactAttribute
{
    /// <param name="needs">All that it needs.</param>
    public NeedsFactAttribute(params Need[] needs) => Skip = Needs.WhyNot(needs);
}

/// <summary>A theory that needs something, under the same rule.</summary>
public sealed class NeedsTheoryAttribute : TheoryAttribute
{
    /// <param name="needs">All that it needs.</param>
    public NeedsTheoryAttribute(params Need[] needs) => Skip = Needs.WhyNot(needs);
}

/// <summary>Looks what is on this machine.</summary>
internal static class Needs
{
    /// <summary>
    /// The first of these that is missing, in words; null where nothing is, and in CI, where nothing may be.
    /// </summary>
    public static string? WhyNot(Need[] needs) =>
        Environment.GetEnvironmentVariable("CI") is { Length: > 0 } ? null
            : needs.Select(Missing).FirstOrDefault(reason => reason is not null);

    /// <summary>A program on PATH; null where it is not there.</summary>
    public static string? OnPath(params string[] names) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Append("/usr/sbin")
            .SelectMany(folder => names.Select(name => Path.Combine(folder, name))).FirstOrDefault(File.Exists);

    private static string? Missing(Need need) => need switch
    {
        Need.Npm => OnPath("npm", "npm.cmd") is null ? "npm is not on this machine" : null,
        Need.Browser => Browser.Program is null ? "Chromium is not on this machine" : null,
        Need.PgBouncer => PgBouncer.Executable is null ? "pgbouncer is not on this machine (Debian: apt install pgbouncer)" : null,
        Need.Node => OnPath("node") is null ? "Node.js is not on this machine" : null,
        Need.Pytest => OnPath("pytest") is null ? "pytest is not on this machine (Debian: apt install python3-pytest)" : null,
        Need.Go => OnPath("go") is null ? "Go is not on this machine (Debian: apt install golang-go)" : null,
        Need.SmallDisk => SmallDisk.Obstacle,
        _ => throw new ArgumentOutOfRangeException(nameof(need)),
    };
}
