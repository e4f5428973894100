namespace ChatGenius.Db.Schema;

/// <summary>What of a schema is read. Each part is one query; all of them go to the server in one round trip.</summary>
[Flags]
internal enum SchemaParts
{
    /// <summary>Which objects there are, by kind and name; always read.</summary>
    Objects = 0,

    /// <summary>Properties of tables, views and sequences: partitioning, inheritance, options, row-level security, view
    /// definitions.</summary>
    Relations = 1 << 0,

    /// <summary>Columns and the attributes of composite types.</summary>
    Columns = 1 << 1,

    /// <summary>Constraints of tables and domains.</summary>
    Constraints = 1 << 2,

    /// <summary>Indexes that no constraint stands for.</summary>
    Indexes = 1 << 3,

    /// <summary>Triggers and rules.</summary>
    Triggers = 1 << 4,

    /// <summary>Row-level security policies.</summary>
    Policies = 1 << 5,

    /// <summary>Enums, domains, ranges.</summary>
    Types = 1 << 6,

    /// <summary>Functions, procedures and aggregates.</summary>
    Routines = 1 << 7,

    /// <summary>Everything rarer: extensions, operators, casts, collations, text search, statistics, publications, event triggers,
    /// servers.</summary>
    Others = 1 << 8,

    /// <summary>Comments.</summary>
    Comments = 1 << 9,

    /// <summary>Privileges that differ from the default ones.</summary>
    Privileges = 1 << 10,

    /// <summary>Owners; not compared by default, for roles differ between servers where the schemas are the same.</summary>
    Owners = 1 << 11,

    /// <summary>Versions of extensions and collations; not compared by default, for the server's packages decide them.</summary>
    ExtensionVersions = 1 << 12,

    /// <summary>Which object needs which; no part of the text, but needed to write the schema as SQL.</summary>
    Dependencies = 1 << 13,

    /// <summary>All that makes up the text of a snapshot by default.</summary>
    Default = Relations | Columns | Constraints | Indexes | Triggers | Policies | Types | Routines | Others | Comments | Privileges,
}

/// <summary>How a schema is read.</summary>
internal sealed record SchemaReadOptions
{
    /// <summary>What is read.</summary>
    public SchemaParts Parts { get; init; } = SchemaParts.Default;

    /// <summary>Names of schemas to leave out, unquoted; system schemas are left out anyway.</summary>
    public IReadOnlyList<string> ExcludedSchemas { get; init; } = [];

    /// <summary>The schema of the history, unquoted: the tool's own tables in it are left out, and it itself where it holds nothing
    /// else.</summary>
    public string HistorySchema { get; init; } = "chatgenius_db";

    /// <summary>
    /// True where the session reads its schema many times: the queries stay prepared there. To plan them costs as much as to run them where
    /// the schema is small (PostgreSQL: PREPARE, Notes).
    /// </summary>
    public bool StaysPrepared { get; init; }

    /// <summary>
    /// How long a lock on a view that another session is changing is waited for; zero waits without end. From 0 to 24 days.
    /// </summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromSeconds(5);
}
