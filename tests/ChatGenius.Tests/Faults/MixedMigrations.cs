namespace ChatGenius.Tests.Faults;

/// <summary>
/// Thirty migrations of every kind. Whatever is run twice or not at all shows: counters count the runs, and rows that come twice stay
/// twice.
/// </summary>
internal sealed class MixedMigrations : IDisposable
{
    public const int Count = 30;

    private readonly Sandbox _sandbox = new();
    private int _written;

    public MixedMigrations()
    {
        for (var round = 1; _written < Count; round++)
        {
            WriteRound(round);
        }
    }

    public string Folder => _sandbox.Path;

    public IReadOnlyList<Migration> Load() => MigrationSource.Load(Folder, bundle: false);

    /// <summary>
    /// Everything that the migrations make, as text: columns, indexes with their validity, constraints, routines, types, and all rows; and
    /// the history.
    /// </summary>
    public const string Fingerprint =
        """
        SELECT string_agg(line, E'\n' ORDER BY line) FROM (
            SELECT 'column ' || attrelid::regclass || '.' || attname
                || ' ' || format_type(atttypid, atttypmod) || ' ' || attnotnull || ' ' || coalesce(pg_get_expr(adbin, adrelid), '') AS line
            FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
            JOIN pg_class ON pg_class.oid = attrelid WHERE relnamespace IN ('public'::regnamespace, to_regnamespace('extra'))
                AND attnum > 0 AND NOT attisdropped
            UNION ALL SELECT 'index ' || pg_get_indexdef(indexrelid) || ' ' || indisvalid || indisready || indislive
                FROM pg_index JOIN pg_class c ON c.oid = indrelid
            WHERE relnamespace IN ('public'::regnamespace, to_regnamespace('extra'))
            UNION ALL SELECT 'constraint ' || conname || ' ' || pg_get_constraintdef(oid) || convalidated
                FROM pg_constraint WHERE connamespace = 'public'::regnamespace
            UNION ALL SELECT 'routine ' || pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
            UNION ALL SELECT 'trigger ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
            UNION ALL SELECT 'enum ' || enumtypid::regtype || ' ' || enumlabel FROM pg_enum
            UNION ALL SELECT 'row ' || oid::regclass || ' ' || x.line::text FROM pg_class,
                unnest(xpath('//r/text()', query_to_xml(
                    format('SELECT t::text AS r FROM %s t', oid::regclass), true, false, ''))) AS x(line)
            WHERE relkind = 'r' AND relnamespace IN ('public'::regnamespace, to_regnamespace('extra'))
            UNION ALL SELECT 'history ' || version || name || checksum || down_checksum || origin FROM chatgenius_db.history
            UNION ALL SELECT 'journal ' || version || ' ' || statement FROM chatgenius_db.journal) lines
        """;

    public void Dispose() => _sandbox.Dispose();

    private void WriteRound(int round)
    {
        var t = string.Create(CultureInfo.InvariantCulture, $"notes_{round}");
        Write("create", $"CREATE TABLE {t} (id int PRIMARY KEY, author int NOT NULL, body text, runs int NOT NULL DEFAULT 0);\n"
            + $"INSERT INTO {t} (id, author, body) SELECT i, i % 7, 'note ' || i FROM generate_series(1, 400) i;\nSELECT pg_sleep(0.02);");
        Write("copy",
            $"CREATE TABLE {t}_words (id int, word text);\nCOPY {t}_words (id, word) FROM stdin;\n{Rows(300)}\\.\nSELECT "
            + $"pg_sleep(0.01);\nALTER TABLE {t} ADD COLUMN word text;");
        Write("index",
            $"CREATE INDEX CONCURRENTLY {t}_author_idx ON {t} (author);\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS {t}_body_key ON "
            + $"{t} (body);\n"
            + $"ALTER TABLE {t} ADD CONSTRAINT {t}_body_unique UNIQUE USING INDEX {t}_body_key;\nREINDEX TABLE CONCURRENTLY {t};\nVACUUM "
            + $"ANALYZE {t};", outside: true);
        Write("count_outside",
            $"UPDATE {t} SET runs = runs + 1;\nINSERT INTO {t}_words VALUES (0, 'outside');\nSELECT pg_sleep(0.02);\nUPDATE {t} SET runs "
            + "= runs + 1 WHERE author = 3;\n"
            + $"COPY {t}_words (id, word) FROM stdin;\n{Rows(50)}\\.\nBEGIN;\nUPDATE {t} SET runs = runs + 1 WHERE author = 4;\nINSERT "
            + $"INTO {t}_words VALUES (-1, 'own');\nCOMMIT;", outside: true);
        Write("mood",
            $"CREATE TYPE {t}_mood AS ENUM ('well');\nALTER TABLE {t} ADD COLUMN mood {t}_mood;\nCREATE FUNCTION {t}_count() RETURNS "
            + $"bigint BEGIN ATOMIC SELECT count(*) FROM {t}; END;");
        Write("mood_outside",
            $"ALTER TYPE {t}_mood ADD VALUE 'tired';\nUPDATE {t} SET mood = 'tired' WHERE author = 5;\nSET search_path = extra_{round}, "
            + "public;\nSET my.note = 'kept';\n"
            + $"CREATE SCHEMA extra_{round};\nSELECT pg_sleep(0.02);\nCREATE TABLE extra_{round}_marks AS SELECT "
            + $"current_setting('my.note') AS note;\nINSERT INTO {t}_words SELECT -2, note FROM extra_{round}_marks;\n"
            + $"ALTER TABLE extra_{round}_marks SET SCHEMA public;\nRESET search_path;\nDROP SCHEMA extra_{round};", outside: true);
        Write("backfill", "DO $$ BEGIN\n  WHILE EXISTS (SELECT FROM " + t + " WHERE word IS NULL) LOOP\n"
            + $"    UPDATE {t} SET word = 'w' || id WHERE id IN (SELECT id FROM {t} WHERE word IS NULL ORDER BY id LIMIT 60);\n    "
            + "COMMIT;\n    PERFORM pg_sleep(0.005);\n  END LOOP;\nEND $$;", outside: true, " repeatable:true");
        Write("count", $"UPDATE {t} SET runs = runs + 10;\nSELECT pg_sleep(0.01);\nINSERT INTO {t}_words VALUES (-3, 'inside');");
        Write("swap_index",
            $"DROP INDEX CONCURRENTLY {t}_author_idx;\nCREATE INDEX CONCURRENTLY {t}_runs_idx ON {t} (runs);\nREINDEX INDEX CONCURRENTLY "
            + $"{t}_pkey;", outside: true);
        Write("defer",
            $"CREATE TABLE {t}_parts (id int PRIMARY KEY, note int REFERENCES {t} DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO {t}_parts "
            + "SELECT i, i FROM generate_series(1, 200) i;\n"
            + $"SET LOCAL work_mem = '8MB';\nCREATE VIEW {t}_view AS SELECT id, body FROM {t};");
    }

    private void Write(string name, string up, bool outside = false, string more = "")
    {
        _written++;
        _sandbox.Write(
            string.Create(CultureInfo.InvariantCulture, $"{_written:D4}_{name}_{_written}.sql"),
            $"-- migrate:up{(outside ? " transaction:false" : "")}{more}\n{up}\n\n-- migrate:down\nSELECT 1;\n");
    }

    private static string Rows(int count)
    {
        var rows = new StringBuilder();
        for (var i = 1; i <= count; i++)
        {
            rows.Append(CultureInfo.InvariantCulture, $"{i}\tword {i}\n");
        }

        return rows.ToString();
    }
}
