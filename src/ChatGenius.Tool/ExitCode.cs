namespace ChatGenius.Tool;

/// <summary>What the process says to its caller; stable across versions.</summary>
internal enum ExitCode
{
    Done = 0,

    /// <summary>The answer to a question is "not the same": pending with <c>--exit-code</c>, drift, findings.</summary>
    Differs = 1,
    Error = 2,

    /// <summary>Another run holds the migration lock.</summary>
    Locked = 3,

    /// <summary>A fault of this program (EX_SOFTWARE of sysexits.h).</summary>
    Bug = 70,

    /// <summary>128 + SIGINT, what shells report for Ctrl-C.</summary>
    Cancelled = 130,
}
