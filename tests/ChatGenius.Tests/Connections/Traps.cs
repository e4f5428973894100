using System.Text.RegularExpressions;
using ChatGenius.Tests.Faults;

namespace ChatGenius.Tests.Connections;

/// <summary>
/// Operators and functions that anyone who may create objects in <c>public</c> could put there, to have them run by somebody more powerful
/// (CVE-2018-1058): all whose signature <c>pg_catalog</c> lacks, so that they fit an inexact call better. Each raises an error that names
/// it.
/// </summary>
internal static partial class Traps
{
    /// <summary>What the error of a trap that was stepped into begins with.</summary>
    public const string Mark = "TRAP";

    private const string Create =
        """
        DO $do$
        DECLARE
            types constant text[] := ARRAY['bool', 'int2', 'int4', 'int8', 'float4', 'float8', 'numeric', 'text', 'varchar', 'bpchar',
                'name', '"char"',
                'oid', 'regclass', 'timestamptz', 'interval', 'jsonb', 'text[]'];
            conditions constant text[] := ARRAY['=', '<>', '<', '>', '<=', '>=', '~~', '!~~', '~~*', '!~~*',
                '~', '!~', '~*', '!~*', '^@', '@>', '<@', '&&', '?'];
            others constant text[] := ARRAY['||', '+', '-', '*', '/', '%', '->', '->>', '#>', '#>>'];
            body constant text := $f$ BEGIN RAISE EXCEPTION 'TRAP %', '$f$;
            l text; r text; o text; f record;
        BEGIN
            SET LOCAL search_path = pg_catalog;
            FOREACH l IN ARRAY types LOOP
                FOREACH r IN ARRAY types LOOP
                    EXECUTE format('CREATE FUNCTION public.trap_condition(%1$s, %2$s) RETURNS bool LANGUAGE plpgsql AS %3$L', l, r,
                        body || 'operator of ' || l || ', ' || r || '''; END');
                    EXECUTE format('CREATE FUNCTION public.trap_value(%1$s, %2$s) RETURNS text LANGUAGE plpgsql AS %3$L', l, r,
                        body || 'operator of ' || l || ', ' || r || '''; END');
                    FOREACH o IN ARRAY conditions || others LOOP
                        IF to_regoperator(format('pg_catalog.%s(%s,%s)', o, l, r)) IS NULL THEN
                            EXECUTE format('CREATE OPERATOR public.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = public.%I)', o, l, r,
                                CASE WHEN o = ANY (conditions) THEN 'trap_condition' ELSE 'trap_value' END);
                        END IF;
                    END LOOP;
                END LOOP;
            END LOOP;
            FOR f IN
                SELECT DISTINCT p.proname, c.args FROM pg_proc p
                CROSS JOIN LATERAL (
                    SELECT one AS args FROM unnest(types) one WHERE p.pronargs = 1 OR p.provariadic <> 0
                    UNION ALL SELECT one || ', ' || two FROM unnest(types) one CROSS JOIN unnest(types) two
                              WHERE p.pronargs = 2 OR p.provariadic <> 0
                    UNION ALL SELECT array_to_string(array_fill(one, ARRAY[p.pronargs::int]), ', ') FROM unnest(types) one
                              WHERE p.pronargs > 2
                ) c
                WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname = ANY ('{NAMES}'::name[])
            LOOP
                IF to_regprocedure(format('pg_catalog.%I(%s)', f.proname, f.args)) IS NULL THEN
                    EXECUTE format('CREATE FUNCTION public.%I(%s) RETURNS text LANGUAGE plpgsql AS %L', f.proname, f.args,
                        body || 'function ' || f.proname || '(' || f.args || ')''; END');
                END IF;
            END LOOP;
        END
        $do$
        """;

    /// <summary>Lays them in a database.</summary>
    /// <param name="cluster">The server.</param>
    /// <param name="database">The database.</param>
    /// <param name="sources">The text of the source: every name in it that a call could follow is one.</param>
    public static Task LayAsync(Cluster cluster, string database, IEnumerable<string> sources)
    {
        var names = sources.SelectMany(source => Call().Matches(source).Select(match => match.Groups["name"].Value)).Distinct();
        return cluster.ExecuteAsync(Create.Replace("{NAMES}", $"{{{string.Join(',', names)}}}", StringComparison.Ordinal), database);
    }

    [GeneratedRegex(@"(?<![A-Za-z0-9_])(?<name>[a-z][a-z0-9_]*)\(")]
    private static partial Regex Call();
}
