namespace ChatGenius.Db.Migrations;

/// <summary>How another tool keeps its history in a database.</summary>
/// <param name="Name">What the tool is called.</param>
/// <param name="Table">The name of its table, not quoted.</param>
/// <param name="Columns">The columns that the query reads; a table of that name without them is another tool's.</param>
/// <param name="Query">
/// Reads the rows from <c>{0}</c>, in order: what identifies a migration (number, name or both), its name where it has one of its own,
/// when it was applied, who did it, its state (<c>applied</c>, <c>failed</c> or <c>gone</c>), and whether all that come before it are
/// applied too.
/// </param>
internal sealed record KnownTool(string Name, string Table, string[] Columns, string Query)
{
    /// <summary>The schema that the tool makes for itself; <c>null</c> where its table is among the application's.</summary>
    internal string? OwnSchema { get; init; }

    /// <summary>Whether the table has these columns and no other.</summary>
    internal bool Exactly { get; init; }

    /// <summary>Whether rows name no migration, so that the first of them is the first file, and so on.</summary>
    internal bool ByPosition { get; init; }

    /// <summary>What else the tool makes beside its table, in the same schema.</summary>
    internal string[] Companions { get; init; } = [];

    /// <summary>A table of the tool's, in the same schema, that says whether a run has not ended: its name, the columns that the query
    /// reads, and a query over <c>{0}</c> that says so in words, or has no row.</summary>
    internal (string Table, string[] Columns, string Query)? RunMark { get; init; }

    /// <summary>The name as <c>--from</c> takes it.</summary>
    internal string Key => Name.ToLowerInvariant().Replace(' ', '-');

    private const string Nobody = "NULL::timestamptz, NULL::text, 'applied', false";

    /// <summary>The tools whose history can be taken over.</summary>
    internal static IReadOnlyList<KnownTool> All { get; } =
    [
        new("dbmate", "schema_migrations", ["version"], $"SELECT version::text, NULL::text, {Nobody} FROM ONLY {{0}} ORDER BY 1")
        {
            Exactly = true,
        },
        // A negative version is before the first one; the down of the first one may have left it.
        new("golang-migrate", "schema_migrations", ["version", "dirty"],
            """
            SELECT version::text, NULL::text, NULL::timestamptz, NULL::text, CASE WHEN dirty THEN 'failed' ELSE 'applied' END, true
            FROM ONLY {0} WHERE version >= 0 OR dirty
            """),
        new("Supabase", "schema_migrations", ["version", "name", "statements"],
            $"SELECT version::text, name::text, {Nobody} FROM ONLY {{0}} ORDER BY 1")
        {
            OwnSchema = "supabase_migrations",
            Companions = ["seed_files"],
        },
        // A row for each up and each down: the newest of a version counts. Number 0 is there from the beginning.
        new("goose", "goose_db_version", ["id", "version_id", "is_applied", "tstamp"],
            """
            SELECT * FROM (
                SELECT DISTINCT ON (version_id) version_id::text AS version, NULL::text, tstamp::timestamptz, NULL::text,
                    CASE WHEN is_applied THEN 'applied' ELSE 'gone' END, false
                FROM ONLY {0} WHERE version_id > 0 ORDER BY version_id, id DESC) newest
            """)
        {
            Companions = ["goose_lock"],
            RunMark = ("goose_lock", ["locked", "lease_expires_at"],
                "SELECT 'goose_lock is set: a run goes on' FROM ONLY {0} WHERE locked AND lease_expires_at > now() LIMIT 1"),
        },
        // Repeatable ones have no version: of them only what failed counts. An undo leaves the row that it undoes.
        new("Flyway", "flyway_schema_history",
            ["installed_rank", "version", "description", "type", "installed_by", "installed_on", "success"],
            """
            SELECT * FROM (
                SELECT DISTINCT ON (coalesce(version, description)) coalesce(version, description)::text, description::text,
                    installed_on::timestamptz, installed_by::text,
                    CASE WHEN NOT success THEN 'failed' WHEN version IS NULL OR type::text LIKE 'UNDO%' OR type::text = 'DELETE' THEN 'gone'
                        ELSE 'applied' END, type::text LIKE '%BASELINE'
                FROM ONLY {0} ORDER BY coalesce(version, description), installed_rank DESC) newest
            """),
        new("Prisma", "_prisma_migrations", ["migration_name", "started_at", "finished_at", "rolled_back_at"],
            """
            SELECT * FROM (
                SELECT DISTINCT ON (migration_name) migration_name::text, NULL::text, finished_at::timestamptz, NULL::text,
                    CASE WHEN rolled_back_at IS NOT NULL THEN 'gone' WHEN finished_at IS NULL THEN 'failed' ELSE 'applied' END, false
                FROM ONLY {0} ORDER BY migration_name, started_at DESC) newest
            """),
        // What it keeps as the time is when the file was made.
        new("Drizzle", "__drizzle_migrations", ["id", "hash", "created_at"],
            $"SELECT hash::text, NULL::text, {Nobody} FROM ONLY {{0}} ORDER BY created_at, id")
        {
            OwnSchema = "drizzle",
            ByPosition = true,
        },
        new("node-pg-migrate", "pgmigrations", ["id", "name", "run_on"],
            "SELECT name::text, NULL::text, run_on::timestamptz, NULL::text, 'applied', false FROM ONLY {0} ORDER BY run_on, id"),
        new("Knex", "knex_migrations", ["id", "name", "batch", "migration_time"],
            "SELECT name::text, NULL::text, migration_time::timestamptz, NULL::text, 'applied', false FROM ONLY {0} ORDER BY id")
        {
            Companions = ["knex_migrations_lock"],
            RunMark = ("knex_migrations_lock", ["is_locked"],
                "SELECT 'knex_migrations_lock is set: a run goes on, or was killed' FROM ONLY {0} WHERE is_locked <> 0 LIMIT 1"),
        },
        new("EF Core", "__EFMigrationsHistory", ["MigrationId"],
            $"SELECT \"MigrationId\"::text, NULL::text, {Nobody} FROM ONLY {{0}} ORDER BY 1"),
        new("sqitch", "changes", ["change_id", "change", "committed_at", "committer_name"],
            """
            SELECT change::text, NULL::text, committed_at::timestamptz, committer_name::text, 'applied', false
            FROM ONLY {0} ORDER BY committed_at, change
            """)
        {
            OwnSchema = "sqitch",
            Companions = ["dependencies", "events", "projects", "releases", "tags"],
            RunMark = ("events", ["event", "change", "committed_at"],
                """
                SELECT 'its last event is that ' || change::text || ' failed'
                FROM (SELECT event, change FROM ONLY {0} ORDER BY committed_at DESC LIMIT 1) last WHERE event::text = 'fail'
                """),
        },
        // What was set by hand keeps the error that it had.
        new("Atlas", "atlas_schema_revisions", ["version", "description", "type", "applied", "total", "executed_at", "error"],
            """
            SELECT version::text, description::text, executed_at::timestamptz, NULL::text,
                CASE WHEN type & 4 = 0 AND (applied < total OR coalesce(error, '') <> '') THEN 'failed' ELSE 'applied' END, type % 2 = 1
            FROM ONLY {0} WHERE version NOT LIKE '.%' ORDER BY 1
            """),
    ];

    /// <summary>Tools that are only recognised: their files are not SQL, or their rows don't name files.</summary>
    internal static IReadOnlyList<(string Name, string Table)> Others { get; } =
    [
        ("Rails", "ar_internal_metadata"), ("Alembic", "alembic_version"), ("Django", "django_migrations"),
        ("Liquibase", "databasechangelog"), ("Sequelize", "SequelizeMeta"), ("Kysely", "kysely_migration"),
        ("MikroORM", "mikro_orm_migrations"), ("sqlx", "_sqlx_migrations"), ("Diesel", "__diesel_schema_migrations"),
        ("refinery", "refinery_schema_history"), ("Phinx", "phinxlog"), ("Doctrine", "doctrine_migration_versions"),
        ("tern or an old Flyway", "schema_version"), ("TypeORM or another tool", "migrations"),
        ("Rails, Ecto or another tool", "schema_migrations"),
    ];

    /// <summary>Which tool's a table is.</summary>
    /// <param name="schema">Its schema.</param>
    /// <param name="table">Its name.</param>
    /// <param name="columns">Its columns, those of PostgreSQL's own types only.</param>
    /// <param name="count">How many it has.</param>
    /// <param name="besideRails">Whether Rails has a table in the same schema: it has dbmate's table too.</param>
    /// <returns>What the tool is called, and how its history is read; twice <c>null</c> for a table of the application's.</returns>
    internal static (string? Name, KnownTool? Known) Of(string schema, string table, string[] columns, int count, bool besideRails)
    {
        var known = besideRails && table == "schema_migrations" ? null : All.FirstOrDefault(tool => tool.Table == table
            && (table is not "changes" || tool.OwnSchema == schema)
            && tool.Columns.All(columns.Contains) && (!tool.Exactly || count == tool.Columns.Length));
        // So common a word says nothing where it isn't sqitch's.
        return known is not null || table == "changes" ? (known?.Name, known)
            : (Others.FirstOrDefault(other => other.Table == table).Name, null);
    }
}
