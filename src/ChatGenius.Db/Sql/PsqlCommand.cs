namespace ChatGenius.Db.Sql;

/// <summary>What to write in a migration instead of a command that only psql understands.</summary>
internal static class PsqlCommand
{
    /// <param name="command">The command without its backslash; empty for a backslash alone.</param>
    public static string Advice(string command) => command switch
    {
        "." => "A line \\. ends the rows of a COPY … FROM stdin, and there is none open here.",
        "i" or "ir" or "include" or "include_relative" => "Put the statements of the other file here, or into a migration of their own.",
        "set" or "unset" or "prompt" or "getenv" or "setenv" =>
            "Write the value where it is needed: variables are not replaced, so that a migration is the same everywhere.",
        "c" or "connect" => "Take it out: a migration runs in the one database that the tool is connected to.",
        "copy" => "Use COPY … FROM stdin; with the rows on the lines after it and a line \\. behind them.",
        "echo" or "qecho" or "warn" => "Use RAISE NOTICE in a DO block, or a comment.",
        "if" or "elif" or "else" or "endif" => "Use IF in a DO block.",
        "g" or "gx" or "gdesc" or "p" or "r" or "e" or "edit" or "w" => "End the statement with a semicolon.",
        "gexec" => "Use EXECUTE in a DO block that loops over the query.",
        "gset" or "bind" or "parse" or "crosstabview" or "watch" => "Use a DO block with variables of its own.",
        "encoding" => "Take it out: migrations are UTF-8.",
        "restrict" or "unrestrict" => "Take the line out: pg_dump writes it only to protect psql.",
        "q" or "quit" or "timing" or "pset" or "x" or "a" or "t" or "o" or "out" or "H"
            or "f" => "Take it out: nothing is printed, so there is nothing for it to do.",
        "" => "Take the backslash out: outside of strings it means nothing in SQL.",
        _ => "Take it out, or write it as SQL (psql -E shows the SQL behind its commands).",
    };
}
