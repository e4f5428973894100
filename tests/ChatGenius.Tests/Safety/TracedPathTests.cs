using System.Text.RegularExpressions;
using ChatGenius.Db.Safety;

namespace ChatGenius.Tests.Safety;

/// <summary>What a migration's search_path puts before PostgreSQL's own names is found by no query of ours in its session.</summary>
public partial class TracedPathTests
{
    /// <summary>
    /// A schema with a twin of every function and operator that queries of ours may name, with the same arguments and another result, and
    /// of the types that they cast to. What takes one gets an error that says so, or columns of other types.
    /// </summary>
    private const string Twins =
        """
        CREATE SCHEMA twins;
        DO $do$
        DECLARE f record; t text;
        BEGIN
            SET LOCAL search_path = pg_catalog;
            FOR f IN SELECT p.proname, pg_get_function_identity_arguments(p.oid) AS args FROM pg_proc p
                WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f' AND p.proname = ANY ('{NAMES}'::name[])
            LOOP
                BEGIN
                    EXECUTE format('CREATE FUNCTION twins.%I(%s) RETURNS int4 LANGUAGE plpgsql AS %L', f.proname, f.args,
                        'BEGIN RAISE EXCEPTION ''TRAP function ' || f.proname || '''; END');
                EXCEPTION WHEN OTHERS THEN NULL;
                END;
            END LOOP;
            FOR f IN SELECT o.oprname, o.oprleft::regtype AS l, o.oprright::regtype AS r FROM pg_operator o
                WHERE o.oprnamespace = 'pg_catalog'::regnamespace AND o.oprleft <> 0
                    AND o.oprname IN ('=', '<>', '<', '>', '<=', '>=', '~', '!~', '||', '~~', '!~~', '+', '-')
            LOOP
                BEGIN
                    EXECUTE format('CREATE FUNCTION twins.twin(%s, %s) RETURNS bool LANGUAGE plpgsql AS %L', f.l, f.r,
                        'BEGIN RAISE EXCEPTION ''TRAP operator''; END');
                EXCEPTION WHEN OTHERS THEN NULL;
                END;
                BEGIN
                    EXECUTE format('CREATE OPERATOR twins.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = twins.twin)', f.oprname, f.l, f.r);
                EXCEPTION WHEN OTHERS THEN NULL;
                END;
            END LOOP;
            FOREACH t IN ARRAY ARRAY['text', 'regclass', 'regnamespace', 'regtype', 'oid', 'xid', 'name', 'bool', 'int8', 'int2'] LOOP
                EXECUTE format('CREATE DOMAIN twins.%I AS pg_catalog.int4', t);
            END LOOP;
        END
        $do$
        """;

    [Theory]
    [InlineData("")]
    [InlineData("DEALLOCATE ALL;\n")]
    [InlineData("DISCARD PLANS;\n")]
    public async Task A_trace_is_the_same_under_a_search_path_with_twins_of_all_names(string between)
    {
        var names = Repository.Sources("src", "ChatGenius.Db")
            .SelectMany(file => Call().Matches(File.ReadAllText(file)).Select(match => match.Groups[1].Value)).Distinct();
        var twins = Twins.Replace("{NAMES}", $"{{{string.Join(',', names)}}}", StringComparison.Ordinal);
        var seen = new List<string>();
        foreach (var path in (string[])["public", "twins, pg_catalog, public"])
        {
            await using var shop = await Shop.OpenAsync(twins);
            var migration = Shop.Migration($"""
                -- migrate:up
                SET LOCAL search_path = {path};
                ALTER TABLE public.orders ADD COLUMN more pg_catalog.int4 NOT NULL DEFAULT 5;
                {between}CREATE INDEX more_idx ON public.orders (more);
                CREATE TABLE IF NOT EXISTS public.customers (id pg_catalog.int4);
                UPDATE public.orders SET more = 6;
                -- migrate:down
                SET LOCAL search_path = {path};
                ALTER TABLE public.orders DROP COLUMN more;
                """);

            await using var tracer = await Tracer.StartAsync(shop.Database, new TracerOptions());
            var (trace, roundTrip) = await new RoundTripper(tracer).RunAsync(migration);

            trace.Statements.Select(statement => statement.Error?.MessageText).OfType<string>().ShouldBeEmpty();
            trace.Completed.ShouldBeTrue();
            roundTrip.ShouldNotBeNull();
            var orders = trace.Before.Find("public", "orders")!.Oid;
            var facts = trace.Statements.Where(statement => !statement.Statement.Is("SET")).Select(statement =>
                $"{statement.Statement.Text}: {statement.Locks.On(orders)} {statement.ActivityOn(orders)}");
            var findings = SafetyCheck.Examine(migration, trace, TableSizes.Unknown, roundTrip)
                .Select(found => $"{found.Hazard.Id} {found.Message}")
                .Where(finding => !finding.Contains("search_path", StringComparison.Ordinal)).Order(StringComparer.Ordinal);
            seen.Add(string.Join('\n', [.. facts, .. findings]));
        }

        seen[1].ShouldBe(seen[0]);
        seen[0].ShouldContain("AccessExclusive");
    }

    [GeneratedRegex(@"(?<![A-Za-z0-9_])([a-z][a-z0-9_]*)\(")]
    private static partial Regex Call();
}
