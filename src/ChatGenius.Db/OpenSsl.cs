using System.Runtime.InteropServices;

namespace ChatGenius.Db;

/// <summary>
/// On Linux .NET hashes and encrypts with the system's OpenSSL, and ends the process without a word of ours where that is missing: so it is
/// looked for before the first hash and the first connection.
/// </summary>
internal static class OpenSsl
{
    /// <summary>The versions that .NET looks for.</summary>
    private static readonly string[] Versions = ["3", "1.1", "1.0.2", "1.0.0", "10"];

    private static readonly Lazy<bool> IsThere = new(() =>
        CanLoad(Versions.Prepend(Environment.GetEnvironmentVariable("CLR_OPENSSL_VERSION_OVERRIDE"))));

    /// <exception cref="ProblemException">CG0643: it is missing.</exception>
    internal static void Require()
    {
        if (OperatingSystem.IsLinux() && !IsThere.Value)
        {
            throw Missing();
        }
    }

    /// <summary>Whether one of the versions can be loaded; null where none can.</summary>
    internal static bool CanLoad(IEnumerable<string?> versions) =>
        versions.Any(version => version is not null && NativeLibrary.TryLoad($"libssl.so.{version}", out _));

    private static ProblemException Missing() => new(
        "CG0643", "OpenSSL's library libssl is not on this machine; checksums and connections need it",
        advice: "Install the package libssl3 (Debian, Ubuntu, Alpine), openssl-libs (Fedora, Red Hat) or libopenssl3 (SUSE).");
}
