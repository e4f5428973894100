namespace ChatGenius.Db.Imports;

/// <summary>How another tool's folder is laid out: a few facts, which <see cref="ImportReader"/> reads by.</summary>
/// <param name="Name">As <c>import</c> takes it; the same as for <c>baseline --from</c>.</param>
/// <param name="Example">What one of its files is called, for who named the wrong folder.</param>
internal sealed record ImportTool(string Name, string Example)
{
    /// <summary>Reads a folder whose files are no SQL; the other facts are for <see cref="ImportReader"/>.</summary>
    internal Func<string, ImportedFolder>? Reader { get; init; }

    /// <summary>What its files are called, as paths below the folder; the groups are <c>version</c>, <c>name</c>, <c>key</c> and
    /// <c>down</c>.</summary>
    internal string File { get; init; } = "";

    /// <summary>Reads what the tool keeps of the order and the files in a file of its own; <c>null</c> where their names say it.</summary>
    internal Func<ImportTool, ImportFolder, List<Problem>, IReadOnlyList<ImportEntry>>? List { get; init; }

    /// <summary>How its versions are compared.</summary>
    internal IComparer<ImportEntry> Order { get; init; } = ImportOrder.ByNumber;

    /// <summary>The comments that begin a section, where a file holds both.</summary>
    internal string? Up { get; init; }

    internal string? Down { get; init; }

    /// <summary>Whether a file without such comments is all up.</summary>
    internal bool MayHaveNoSections { get; init; }

    /// <summary>The comments at which the tool cuts a file into statements, whether or not a semicolon is there.</summary>
    internal string? Cut { get; init; }

    /// <summary>The comment that asks for no transaction: for its section where it begins one, else for the file.</summary>
    internal string? NoTransaction { get; init; }

    /// <summary>What the tool does with a file that a migration of ours can't: what it is found by, and the reason.</summary>
    internal IReadOnlyList<(string Pattern, string Reason)> Refused { get; init; } = [];

    /// <summary>Files that belong to the migrations and are no SQL, or have no place here: what they are called, and the reason.</summary>
    internal IReadOnlyList<(string Pattern, string Reason)> RefusedFiles { get; init; } = [];

    /// <summary>Whether psql runs the files, and so replaces its variables and commits each statement.</summary>
    internal bool RunsInPsql { get; init; }

    /// <summary>Files that the tool runs again whenever they change; the group is <c>name</c>.</summary>
    internal string? Repeatable { get; init; }

    /// <summary>Which file has settings for another one, and which of them says whether that runs in a transaction.</summary>
    internal (Func<string, string> FileOf, string Transaction)? Settings { get; init; }

    /// <summary>A file that says which database the migrations are for, and what of it has to be there.</summary>
    internal (string File, string Pattern)? Dialect { get; init; }

    private const string IsProgram = "is a program, and only SQL can be read: write what it does as SQL under the same number";
    private const string NumberThenName = @"^(?<version>\d+)_(?<name>[^/]*)\.sql$";
    private const string UpAndDownFiles = @"^(?<version>\d+)_(?<name>[^/]*?)\.(?:up|(?<down>down))\.sql$";

    /// <summary>The tools whose files can be read.</summary>
    public static IReadOnlyList<ImportTool> All { get; } =
    [
        new("dbmate", "20240101000000_create_users.sql")
        {
            File = @"^(?<version>\d+)(?<name>[^/]*)\.sql$",
            Order = ImportOrder.ByPath,
            Up = @"^--\s*migrate:up(?:\s|$)",
            Down = @"^--\s*migrate:down(?:\s|$)",
            NoTransaction = @"^--\s*migrate:(?:up|down)\s.*\btransaction:false\b",
        },
        new("goose", "20240101000000_create_users.sql")
        {
            File = NumberThenName,
            Up = @"^(?i)-[- \t]+\+goose[ \t]+up[- \t\r]*$",
            Down = @"^(?i)-[- \t]+\+goose[ \t]+down[- \t\r]*$",
            Cut = @"^(?i)-[- \t]+\+goose[ \t]+statement(?:begin|end)[- \t\r]*$",
            NoTransaction = @"^(?i)-[- \t]+\+goose[ \t]+no[ \t]+transaction",
            Refused = [(@"^(?i)-[- \t]+\+goose[ \t]+envsub[ \t]+on",
                "goose puts variables of the environment into what follows: write the values there")],
            RefusedFiles = [(@"^\d[^/]*(?<!_test)\.go$", IsProgram)],
        },
        new("sql-migrate", "20240101000000-create_users.sql")
        {
            File = @"^(?<key>(?<version>\d*)(?<name>[^/]*)\.sql)$",
            Up = @"^-- \+migrate[ \t]+Up\b",
            Down = @"^-- \+migrate[ \t]+Down\b",
            Cut = @"^-- \+migrate[ \t]+Statement(?:Begin|End)\b",
            NoTransaction = @"^-- \+migrate[ \t]+(?:Up|Down)[ \t].*\bnotransaction\b",
        },
        new("golang-migrate", "000001_create_users.up.sql") { File = UpAndDownFiles },
        new("flyway", "V1_2__create_users.sql")
        {
            File = @"(?:^|/)(?:V|(?<down>U))(?<version>\d[\d._]*?)__(?<name>[^/]*)\.sql$",
            Repeatable = @"(?:^|/)R__(?<name>[^/]*)\.sql$",
            Settings = (file => file + ".conf", "executeInTransaction"),
            Refused = [(@"\$\{[^}\r\n]*\}", "Flyway puts a value in this place; write it there, or say placeholderReplacement=false in a "
                + ".conf beside the file where Flyway has that off")],
            RefusedFiles =
            [
                (@"(?:^|/)[VURB][^/]*__[^/]*\.(?:java|kt|groovy|scala|class)$", IsProgram),
                (@"(?:^|/)B\d[^/]*__[^/]*\.sql$", "is what Flyway runs on an empty database instead of all before it, not after them"),
                (@"(?:^|/)(?:before|after|createSchema)[A-Za-z]*(?:__[^/]*)?\.sql$",
                    "is run by Flyway beside migrations, and is not one of them"),
            ],
        },
        new("prisma", "20240101000000_create_users/migration.sql")
        {
            File = @"^(?<key>(?<version>\d*)(?<name>[^/]*))/(?:migration|(?<down>down))\.sql$",
            Order = ImportOrder.ByKey,
            Dialect = ("migration_lock.toml", @"provider\s*=\s*""(?:postgresql|cockroachdb)"""),
        },
        new("drizzle", "meta/_journal.json and 0000_create_users.sql")
        {
            List = ImportLists.OfDrizzle,
            File = @"^(?<key>(?<version>\d+)_(?<name>[^/]*))/migration\.sql$",
            Order = ImportOrder.ByKey,
            Cut = "--> statement-breakpoint",
            Dialect = ("meta/_journal.json", @"""dialect""\s*:\s*""(?:postgresql|pg)"""),
        },
        new("node-pg-migrate", "1704067200000_create-users.sql")
        {
            File = @"^(?<key>(?<version>\d+)(?<name>[^/]*))\.sql$",
            Up = @"^(?i)[ \t]*--[- \t]*up[ \t]+migration",
            Down = @"^(?i)[ \t]*--[- \t]*down[ \t]+migration",
            MayHaveNoSections = true,
            RefusedFiles = [(@"^\d[^/]*(?<!\.d)\.(?:js|cjs|mjs|ts|cts|mts)$", IsProgram)],
        },
        new("sqitch", "sqitch.plan and deploy/create_users.sql") { List = ImportLists.OfSqitch, RunsInPsql = true },
        new("supabase", "20240101000000_create_users.sql") { File = NumberThenName, Order = ImportOrder.ByPath },
        new("atlas", "20240101000000_create_users.sql")
        {
            File = @"^(?<version>[^_/]+?)(?:_(?<name>[^/]*))?\.sql$",
            Order = ImportOrder.ByPath,
            NoTransaction = @"^--[ \t]*atlas:txmode[ \t]+none",
            Refused = [(@"^--[ \t]*atlas:(?:checkpoint|delimiter|import)\b", "Atlas reads the file in a way of its own")],
        },
        new("sqlx", "20240101000000_create_users.up.sql")
        {
            File = @"^(?<version>\d+)_(?<name>[^/]*?)(?:\.up|\.(?<down>down))?\.sql$",
            NoTransaction = @"^-- no-transaction",
        },
        new("typescript", "0006_add_reactions.ts") { Reader = TypeScriptFolder.Read },
        new("diesel", "2024-01-01-000000_create_users/up.sql")
        {
            File = @"^(?<key>(?:(?<version>\d+)-?)+)_(?<name>[^/]*)/(?:up|(?<down>down))\.sql$",
            Order = ImportOrder.ByPath,
            Settings = (file => file[..(file.LastIndexOf('/') + 1)] + "metadata.toml", "run_in_transaction"),
        },
    ];

    /// <summary>Tools whose migrations are in TypeScript or JavaScript.</summary>
    public static IReadOnlyList<string> InTypeScript { get; } =
        ["knex", "sequelize", "typeorm", "kysely", "mikro-orm", "slonik", "umzug", "db-migrate", "payload", "javascript"];

    /// <summary>Tools whose migrations are programs, or in a language of their own.</summary>
    public static IReadOnlyList<string> NotSql { get; } =
    [
        "ef-core", "knex", "rails", "alembic", "django", "liquibase", "sequelize", "typeorm", "kysely", "mikro-orm", "phinx", "doctrine",
        "laravel", "ecto", "dbt",
    ];
}
