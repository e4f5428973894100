namespace ChatGenius.Tests.Support;

/// <summary>A test that needs npm. Where it is missing the test is skipped, and says so; in CI it fails.</summary>
public sealed class NpmFactAttribute : FactAttribute
{
    public NpmFactAttribute() => Skip = Reason;

    internal static string? Reason { get; } =
        string.IsNullOrEmpty(Environment.GetEnvironmentVariable("CI")) && !IsOnPath("npm") && !IsOnPath("npm.cmd") ? "npm is not on this machine" : null;

    private static bool IsOnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, program)));
}

/// <summary>A theory that needs npm, under the same rule.</summary>
public sealed class NpmTheoryAttribute : TheoryAttribute
{
    public NpmTheoryAttribute() => Skip = NpmFactAttribute.Reason;
}
