using System.Globalization;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Migrations;

/// <summary>
/// The SQL that puts kept values back. What tables and columns there are is known only when it runs, so it reads the catalog then. Between
/// a migration's statements it looks for names in <c>pg_catalog</c> alone, and only while it writes a table of the user's, whose triggers
/// run then, behind it where the session looks.
/// </summary>
internal static class KeptRestoreSql
{
    /// <summary>The SQLSTATE of the notices that say what was put back and what was not.</summary>
    internal const string Said = "CGDBK";

    /// <summary>Settings that are made, and gone back from.</summary>
    private static readonly (string Name, string Value)[] Settings =
    [
        ("search_path", "pg_catalog, pg_temp"), ("xmloption", "content"), ("client_min_messages", "notice"), .. KeptSql.Settings,
    ];

    /// <summary>Marks, before anything is changed, the values that are others now than the migration left; what else is kept of their rows
    /// can go back all the same.</summary>
    internal static string Judge(string schema, long version) => Block(schema, version,
        """
            -- What was kept a moment ago was never counted, and would be joined row by row.
            EXECUTE format('ANALYZE %s', kept);
            EXECUTE format('UPDATE %s k SET conflict = %L || k.conflict WHERE k.version = %s AND k.conflict IS NOT NULL
                AND k.conflict NOT LIKE %L', kept, earlier, version, earlier || '%');
            FOR name IN EXECUTE format('SELECT DISTINCT k.table_name FROM %s k WHERE k.new_values IS NOT NULL AND %s', kept, mine) LOOP
        """
        + Prepare +
        """

                SELECT array_agg(a.attname::text) INTO there FROM pg_catalog.pg_attribute a
                WHERE a.attrelid = rel AND a.attnum > 0 AND NOT a.attisdropped;
                -- What was renamed or dropped is judged where it is put back.
                CONTINUE WHEN rel IS NULL OR NOT keys <@ there;
                EXECUTE object INTO row_key USING rel, keys;
                EXECUTE object INTO row_values USING rel, there;
                EXECUTE format('UPDATE %s k SET conflict = CASE WHEN j.found THEN ''the value was changed since''
                    ELSE ''the row is gone'' END
                    FROM (SELECT s.key, t.all_values IS NOT NULL AS found FROM (%s) s
                        LEFT JOIN (SELECT %s AS key, %s AS all_values FROM %s x) t ON t.key = s.key
                        WHERE NOT s.is_row AND s.new IS NOT NULL AND (t.all_values IS NULL OR NOT t.all_values @> (s.new - %L::text[]))) j
                    WHERE k.key = j.key AND (k.new_values IS NOT NULL OR NOT j.found) AND k.table_name = %L AND %s', kept, origin, row_key,
                    row_values, rel, (SELECT coalesce(array_agg(n), '{}') FROM unnest(names) n WHERE n <> ALL (there)), name, mine);
            END LOOP;
        """);

    /// <summary>Puts values and rows of tables back, those first that others refer to.</summary>
    internal static string PutBack(string schema, long version, IReadOnlyList<string> tables) => Block(schema, version,
        $"    todo := ARRAY[{string.Join(", ", tables.Select(SqlLiteral.Quote))}];\n"
        + """
            all_tables := todo;
            WHILE cardinality(todo) > 0 LOOP
                SELECT u.one INTO name FROM unnest(todo) WITH ORDINALITY u (one, n)
                ORDER BY EXISTS (SELECT FROM pg_catalog.pg_constraint c WHERE c.contype = 'f' AND c.conrelid = to_regclass(u.one)
                    AND c.confrelid <> c.conrelid AND c.confrelid IN (SELECT to_regclass(o) FROM unnest(todo) o)), u.n LIMIT 1;
                todo := array_remove(todo, name);
        """
        + Prepare +
        """

                CONTINUE WHEN names IS NULL;
                SELECT array_agg(a.attname::text) INTO there FROM pg_catalog.pg_attribute a
                WHERE a.attrelid = rel AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '';
                IF rel IS NULL OR NOT (names || keys) <@ there THEN
                    SELECT string_agg(DISTINCT quote_ident(n), ', ') INTO note FROM unnest(names || keys) n WHERE n <> ALL (there);
                    EXECUTE format('UPDATE %s k SET conflict = %L WHERE k.table_name = %L AND %s', kept, CASE WHEN rel IS NULL
                        THEN 'there is no such table' ELSE 'no column of it that can be written is called ' || note END, name, mine);
                    CONTINUE;
                END IF;
                EXECUTE object INTO row_key USING rel, keys;
                -- The texts as values, and what these are as texts again.
                SELECT string_agg(format('%I', a.attname), ', ' ORDER BY a.attnum), string_agg(v.value, ', ' ORDER BY a.attnum),
                    string_agg(format('%1$I = CASE WHEN jsonb_exists(s.old, %1$L) THEN %2$s ELSE x.%1$I END', a.attname, v.value), ', '
                        ORDER BY a.attnum) FILTER (WHERE a.attidentity <> 'a' AND a.attname <> ALL (keys)),
                    string_agg(format('jsonb_object_field_text(s.old, %L) <> concat(%s%s)', a.attname, v.value, v.back), ' OR '
                        ORDER BY a.attnum)
                INTO columns, inserted, assigned, differs
                FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid CROSS JOIN LATERAL (
                    SELECT CASE WHEN t.typname LIKE 'reg%' AND t.typnamespace = 'pg_catalog'::regnamespace THEN '::oid'
                        WHEN t.typname LIKE '\_reg%' AND t.typnamespace = 'pg_catalog'::regnamespace THEN '::oid[]' ELSE '' END AS back) b
                CROSS JOIN LATERAL (SELECT b.back, format('(jsonb_object_field_text(s.old, %L)%s)::%s', a.attname, b.back,
                    format_type(a.atttypid, a.atttypmod)) AS value) v
                WHERE a.attrelid = rel AND a.attnum > 0 AND a.attname = ANY (names);
                EXECUTE format('UPDATE %s k SET conflict = ''its column has another type, which does not hold the value''
                    FROM (%s) s WHERE (%s) AND k.key = s.key AND k.table_name = %L AND %s', kept, origin, differs, name, mine);
                -- Each of the two goes through the whole table.
                kinds := format('SELECT coalesce(bool_or(s.is_row), false), coalesce(bool_or(NOT s.is_row), false) FROM (%s) s', origin);
                EXECUTE kinds INTO has_rows, has_values;
                IF has_rows THEN
                    EXECUTE format('UPDATE %s k SET conflict = ''the key is taken'' FROM (%s) s JOIN %s x ON s.key = %s
                        WHERE s.is_row AND k.key = s.key AND k.table_name = %L AND %s', kept, origin, rel, row_key, name, mine);
                END IF;
                IF has_values THEN
                    EXECUTE format('UPDATE %s k SET conflict = ''the row is gone'' FROM (%s) s WHERE NOT s.is_row
                        AND NOT EXISTS (SELECT FROM %s x WHERE s.key = %s) AND k.key = s.key AND k.table_name = %L AND %s', kept, origin,
                        rel, row_key, name, mine);
                END IF;
        """
        + Parents + Writes);

    /// <summary>What there is of one table.</summary>
    private const string Prepare =
        """

                rel := to_regclass(name);
                EXECUTE described INTO names, keys, folds USING name;
                origin := replace(CASE WHEN folds THEN folded ELSE 'SELECT k.key, k.kind = ''row'' AS is_row, k.old_values AS old,
                    k.new_values AS new FROM $from' END, '$from', format('%s k WHERE k.table_name = %L AND %s', kept, name, mine));
        """;

    /// <summary>Rows whose parent is not there, or is one of those that can't be put back themselves.</summary>
    private const string Parents =
        """

                FOR parent IN SELECT c.confrelid::regclass AS table_name, c.confrelid = rel AS is_own,
                    string_agg(format('p.%I OPERATOR(%I.%s) (jsonb_object_field_text(s.old, %L))::%s', b.attname, s.nspname, o.oprname,
                        a.attname, format_type(a.atttypid, a.atttypmod)), ' AND ') AS matches,
                    string_agg(format('jsonb_object_field_text(q.old, %L) = jsonb_object_field_text(s.old, %L)', b.attname, a.attname),
                        ' AND ') AS own,
                    string_agg(format('jsonb_object_field_text(s.old, %L) IS NOT NULL', a.attname), ' AND ') AS refers
                    FROM pg_catalog.pg_constraint c CROSS JOIN LATERAL unnest(c.conkey, c.confkey, c.conpfeqop) u (one, other, operator)
                    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = u.one
                    JOIN pg_catalog.pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = u.other
                    JOIN pg_catalog.pg_operator o ON o.oid = u.operator JOIN pg_catalog.pg_namespace s ON s.oid = o.oprnamespace
                    WHERE c.conrelid = rel AND c.contype = 'f' GROUP BY c.oid, c.confrelid
                LOOP
                    LOOP
                        EXECUTE format('UPDATE %s k SET conflict = %L FROM (%s) s WHERE s.is_row AND %s
                            AND NOT EXISTS (SELECT FROM %s p WHERE %s)%s AND k.key = s.key AND k.table_name = %L AND %s', kept,
                            format('the row in %s that it refers to is not there', parent.table_name), origin, parent.refers,
                            parent.table_name, parent.matches, CASE WHEN parent.is_own THEN
                                format(' AND NOT EXISTS (SELECT FROM (%s) q WHERE q.is_row AND %s)', origin, parent.own) ELSE '' END,
                            name, mine);
                        GET DIAGNOSTICS changed = ROW_COUNT;
                        EXIT WHEN changed = 0 OR NOT parent.is_own;
                    END LOOP;
                END LOOP;
        """;

    /// <summary>Writes what is left, moves sequences behind it, and says what was done.</summary>
    private const string Writes =
        """

                deferred := EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = rel AND (i.indisunique OR i.indisexclusion)
                    AND NOT i.indimmediate);
                -- By now some may have turned out to be in conflict.
                EXECUTE kinds INTO has_rows, has_values;
                -- What another unique index has already is passed over; the server can't do that with one that is checked later.
                note := format('INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM (%s) s WHERE s.is_row%s', rel, columns, inserted,
                    origin, CASE WHEN deferred THEN '' ELSE ' ON CONFLICT DO NOTHING' END);
                IF has_rows THEN
                    PERFORM set_config('search_path', theirs, true);
                    EXECUTE note;
                    GET DIAGNOSTICS inserts = ROW_COUNT;
                    PERFORM set_config('search_path', 'pg_catalog, pg_temp', true);
                    EXECUTE format('UPDATE %s k SET conflict = ''another unique value of it is taken'' FROM (%s) s WHERE s.is_row
                        AND NOT EXISTS (SELECT FROM %s x WHERE s.key = %s) AND k.key = s.key AND k.table_name = %L
                            AND %s', kept, origin, rel,
                        row_key, name, mine);
                END IF;
                note := format('UPDATE %s x SET %s FROM (%s) s WHERE NOT s.is_row AND s.key = %s', rel, assigned, origin, row_key);
                IF has_values THEN
                    PERFORM set_config('search_path', theirs, true);
                    EXECUTE note;
                    GET DIAGNOSTICS updates = ROW_COUNT;
                    PERFORM set_config('search_path', 'pg_catalog, pg_temp', true);
                END IF;
                FOR parent IN SELECT a.attname, c.oid::regclass AS sequence FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_class c
                    ON c.oid = d.objid
                    JOIN pg_catalog.pg_attribute a ON a.attrelid = rel AND a.attnum = d.refobjsubid JOIN pg_catalog.pg_sequence q
                        ON q.seqrelid = c.oid
                    WHERE d.refobjid = rel AND d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
                        AND d.deptype IN ('a', 'i') AND q.seqincrement > 0 AND a.attname = ANY (names)
                LOOP
                    EXECUTE format('SELECT setval(%L, m.most) FROM (SELECT max(x.%I)::int8 AS most FROM %s x) m, %s q
                        WHERE m.most > q.last_value OR m.most = q.last_value AND NOT q.is_called', parent.sequence, parent.attname, rel,
                        parent.sequence);
                END LOOP;
                EXECUTE format('DELETE FROM %s k WHERE k.table_name = %L AND %s', kept, name, mine);
                IF has_rows OR has_values THEN
                    RAISE NOTICE USING ERRCODE = 'CGDBK', MESSAGE = format('put back into %s: %s%s', name,
                        concat_ws(' and ', CASE WHEN has_rows THEN
                            CASE inserts WHEN 1 THEN '1 row that was deleted' ELSE format('%s rows that were deleted', inserts) END END,
                            CASE WHEN has_values THEN format('the values of %s', CASE updates WHEN 1 THEN '1 row'
                                ELSE format('%s rows', updates) END) END),
                        CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = rel AND NOT t.tgisinternal
                            AND t.tgenabled <> 'D'
                            AND (t.tgtype & 20) <> 0) THEN '; its triggers have run' ELSE '' END);
                END IF;
            END LOOP;
            FOR parent IN EXECUTE format('SELECT k.table_name, k.conflict, count(DISTINCT k.key) AS rows FROM %s k WHERE k.version = %s
                AND k.conflict NOT LIKE %L AND k.table_name = ANY (%L) GROUP BY 1, 2 ORDER BY 1, 2', kept, version, earlier || '%',
                all_tables)
            LOOP
                RAISE NOTICE USING ERRCODE = 'CGDBK', MESSAGE = format('not put back into %s, and still kept: %s, because %s',
                    parent.table_name, CASE parent.rows WHEN 1 THEN '1 row' ELSE format('%s rows', parent.rows) END, parent.conflict);
            END LOOP;
        """;

    private static string Block(string schema, long version, string body)
    {
        var save = string.Join(", ", Settings.Select(setting => $"pg_catalog.current_setting('{setting.Name}')"));
        var set = string.Join(", ", Settings.Select(setting => $"pg_catalog.set_config('{setting.Name}', '{setting.Value}', true)"));
        var back = string.Join(", ", Settings.Select((setting, i) =>
            $"pg_catalog.set_config('{setting.Name}', was OPERATOR(pg_catalog.->>) {i.ToString(CultureInfo.InvariantCulture)}, true)"));
        var number = version.ToString(CultureInfo.InvariantCulture);
        var text =
            $"""
            DECLARE
                was pg_catalog.jsonb := pg_catalog.jsonb_build_array({save});
                kept pg_catalog.text := {SqlLiteral.Quote($"{schema}.kept")};
                version pg_catalog.int8 := {number};
                mine pg_catalog.text := 'k.version = {number} AND k.conflict IS NULL';
            {Declarations}
            BEGIN
                PERFORM {set};
            {body}
                PERFORM {back};
            END
            """;
        return $"DO {SqlLiteral.Quote(text)}";
    }

    /// <summary>
    /// Where several statements have kept something of one row, the first old value of each column counts, and the last new one.
    /// </summary>
    private const string Declarations =
        """
            described pg_catalog.text := pg_catalog.format('SELECT (SELECT array_agg(DISTINCT o) FROM (SELECT min(k.id) AS id FROM %1$s k
                    WHERE k.table_name = $1 AND %2$s GROUP BY k.statement, k.kind) m JOIN %1$s k ON k.version = %3$s AND k.id = m.id
                    CROSS JOIN LATERAL jsonb_object_keys(k.old_values) o),
                (SELECT array_agg(o) FROM (SELECT k.key FROM %1$s k WHERE k.table_name = $1 AND %2$s LIMIT 1) k
                    CROSS JOIN LATERAL jsonb_object_keys(k.key) o),
                EXISTS (SELECT FROM %1$s k WHERE k.table_name = $1 AND %2$s GROUP BY k.key HAVING count(*) > 1)', kept, mine, version);
            folded pg_catalog.text := 'SELECT f.key, f.is_row, f.old, g.new
                FROM (SELECT k.key, bool_or(k.kind = ''row'') AS is_row, jsonb_object_agg(o.key, o.value ORDER BY k.id DESC) AS old
                    FROM (SELECT * FROM $from) k CROSS JOIN LATERAL jsonb_each(k.old_values) o GROUP BY k.key) f
                LEFT JOIN (SELECT k.key, jsonb_object_agg(o.key, o.value ORDER BY k.id) AS new FROM (SELECT * FROM $from) k
                    CROSS JOIN LATERAL jsonb_each(k.new_values) o GROUP BY k.key) g ON g.key = f.key';
            object pg_catalog.text := 'SELECT format(''jsonb_object(ARRAY[%s]::text[], ARRAY[%s]::text[])'',
                    string_agg(quote_literal(a.attname), '', '' ORDER BY a.attnum),
                    string_agg(format(''CASE WHEN x.%1$I IS NOT DISTINCT FROM NULL THEN NULL ELSE concat(x.%1$I%2$s) END'', a.attname,
                        CASE WHEN t.typnamespace <> ''pg_catalog''::regnamespace THEN '''' WHEN t.typname LIKE ''reg%'' THEN ''::oid''
                            WHEN t.typname LIKE ''\_reg%'' THEN ''::oid[]'' ELSE '''' END), '', '' ORDER BY a.attnum))
                FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
                WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped AND a.attname = ANY ($2)';
            theirs pg_catalog.text := pg_catalog.concat('pg_catalog, ', CASE WHEN was OPERATOR(pg_catalog.->>) 0 OPERATOR(pg_catalog.=) ''
                THEN 'pg_temp' ELSE was OPERATOR(pg_catalog.->>) 0 END);
            earlier pg_catalog.text := 'at an earlier rollback, ';
            folds pg_catalog.bool;
            has_rows pg_catalog.bool;
            has_values pg_catalog.bool;
            name pg_catalog.text;
            names pg_catalog.text[];
            keys pg_catalog.text[];
            there pg_catalog.text[];
            todo pg_catalog.text[] := '{}';
            all_tables pg_catalog.text[];
            rel pg_catalog.regclass;
            origin pg_catalog.text;
            kinds pg_catalog.text;
            row_key pg_catalog.text;
            row_values pg_catalog.text;
            columns pg_catalog.text;
            inserted pg_catalog.text;
            assigned pg_catalog.text;
            differs pg_catalog.text;
            note pg_catalog.text;
            parent pg_catalog.record;
            deferred pg_catalog.bool;
            changed pg_catalog.int8;
            inserts pg_catalog.int8;
            updates pg_catalog.int8;
        """;
}
