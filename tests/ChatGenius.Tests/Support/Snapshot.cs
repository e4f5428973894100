using System.Runtime.CompilerServices;

namespace ChatGenius.Tests.Support;

/// <summary>
/// Compares text with an approved file, <c>snapshots/Class.Method[.discriminator].verified.ext</c> beside the test. What differs is
/// written to <c>….received.ext</c>, and the failure says how to approve it.
/// </summary>
internal static class Snapshot
{
    /// <summary>Fails the test where the text is not what was approved; line endings do not count.</summary>
    public static void Match(
        string text, string extension, string? discriminator = null, [CallerFilePath] string testFile = "",
            [CallerMemberName] string test = "")
    {
        var name = $"{Path.GetFileNameWithoutExtension(testFile)}.{test}{(discriminator is null ? "" : $".{discriminator}")}";
        var folder = Path.Combine(Path.GetDirectoryName(testFile)!, "snapshots");
        text.ShouldMatchApproved(c => c
            .NoDiff()
            .SubFolder(folder)
            .WithFileExtension(extension)
            .WithFilenameGenerator((_, _, type, ext) => $"{name}.{(type == "approved" ? "verified" : type)}.{ext}"));
    }
}
