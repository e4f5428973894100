using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Safety;

/// <summary>
/// SQL expressions that give a column a made-up value for row <c>g.n</c>, another one for every row where its type has enough.
/// </summary>
internal sealed partial class MadeUpValues
{
    /// <summary>From so many values a column gets its own where its constraints don't allow all.</summary>
    private const int MostCandidates = 1_000;

    private readonly Catalog _catalog;

    /// <summary>The name and category (<c>pg_type.typcategory</c>) of each column's type, of a domain those of what it stands on.</summary>
    private readonly Dictionary<uint, (string Name, char Category)> _types;

    /// <summary>The bounds of each partition as a condition; of a partition of a partition, both.</summary>
    private readonly Dictionary<uint, string> _bounds;

    private MadeUpValues(Catalog catalog, Dictionary<uint, (string Name, char Category)> types, Dictionary<uint, string> bounds)
    {
        _catalog = catalog;
        _types = types;
        _bounds = bounds;
    }

    internal static async Task<MadeUpValues> ReadAsync(Session session, Catalog catalog, CancellationToken cancellationToken)
    {
        const string Types =
            """
            WITH RECURSIVE base AS (
                SELECT oid, typbasetype, typname, typcategory, typtype FROM pg_catalog.pg_type
                WHERE oid IN (SELECT atttypid FROM pg_catalog.pg_attribute WHERE attrelid >= 16384 AND attnum > 0)
                UNION ALL
                SELECT base.oid, t.typbasetype, t.typname, t.typcategory, t.typtype
                FROM base JOIN pg_catalog.pg_type t ON t.oid = base.typbasetype WHERE base.typtype = 'd'
            )
            -- A multirange counts as a range, but is written as an array is.
            SELECT oid, typname::text, CASE typtype WHEN 'm' THEN 'A' ELSE typcategory::text END FROM base WHERE typtype <> 'd'
            """;
        const string Bounds =
            "SELECT oid, pg_get_partition_constraintdef(oid) FROM pg_catalog.pg_class WHERE relispartition AND relkind = 'r' AND "
            + "pg_get_partition_constraintdef(oid) IS NOT NULL";
        var (types, bounds) = await session.ReadAsync(
            [Types, Bounds],
            async reader => (
                await Session.ResultAsync(
                    reader, row => (Oid: row.GetFieldValue<uint>(0), Type: (row.GetString(1), row.GetString(2)[0])), cancellationToken),
                await Session.ResultAsync(reader, row => (Oid: row.GetFieldValue<uint>(0), Bounds: row.GetString(1)), cancellationToken)),
            cancellationToken);
        return new MadeUpValues(
            catalog,
            types.ToDictionary(type => type.Oid, type => type.Type),
            bounds.ToDictionary(bound => bound.Oid, bound => bound.Bounds));
    }

    /// <summary>The expression; null where the column is left to its default, or to NULL because no value of its type is known.</summary>
    internal async Task<string?> ForAsync(Session session, Relation table, Column column, long rows,
        CancellationToken cancellationToken)
    {
        var unique = _catalog.IndexesOf(table.Oid)
            .Any(index => index.Index is { Unique: true } facts && facts.Keys.Contains(column.Number));
        if (column.Identity is not null || (column.Default is { } given && (!unique || GivesNewValues().IsMatch(given)))
            || Typical(column) is not { } typical)
        {
            return null;
        }

        var conditions = Conditions(table, column).ToList();
        if (conditions.Count == 0)
        {
            return $"({typical})::{column.Type}";
        }

        // A cast to a domain would end the trial with an error instead of telling which values do.
        var cast = _catalog.Types.GetValueOrDefault(column.TypeOid) is { Kind: 'd' } ? "" : $"::{column.Type}";
        var (candidates, all) = await TryAsync(session, SqlIdentifier.Quote(column.Name), typical, cast, conditions, rows,
            cancellationToken);
        return all ? $"({typical})::{column.Type}"
            : candidates.Count > 0 ? string.Create(CultureInfo.InvariantCulture,
                $"((ARRAY[{string.Join(", ", candidates.Select(SqlLiteral.Quote))}])[1 + g.n % {candidates.Count}])::{column.Type}")
            : column.NotNull ? $"({typical})::{column.Type}" : null;
    }

    /// <summary>What is asked of this column alone. A condition over several columns is left to the server.</summary>
    private IEnumerable<string> Conditions(Relation table, Column column)
    {
        foreach (var constraint in _catalog.Constraints.Values.Where(c => c is { Kind: 'c', Enforced: true }))
        {
            if (constraint.Table == table.Oid && constraint.Keys.SequenceEqual([column.Number]))
            {
                yield return Expression(constraint);
            }
            else if (constraint.Domain != 0 && constraint.Domain == column.TypeOid)
            {
                yield return TheValue().Replace(Expression(constraint),
                    SqlIdentifier.Quote(column.Name).Replace("$", "$$", StringComparison.Ordinal));
            }
        }

        var others = _catalog.ColumnsOf(table.Oid).Where(other => other != column).Select(other => SqlIdentifier.Quote(other.Name));
        if (_bounds.TryGetValue(table.Oid, out var bounds)
            && !others.Any(other => Regex.IsMatch(bounds, $@"(?<![\w""]){Regex.Escape(other)}(?![\w""])")))
        {
            yield return bounds;
        }
    }

    /// <summary>Between CHECK and what may follow the condition: NOT VALID, NO INHERIT.</summary>
    private static string Expression(Constraint check) => check.Definition["CHECK ".Length..(check.Definition.LastIndexOf(')') + 1)];

    /// <summary>
    /// Asks the server which typical values, and which of the constants that the conditions themselves name, the conditions hold for; and
    /// whether they hold for all typical ones.
    /// </summary>
    private static async Task<(List<string> Candidates, bool All)> TryAsync(
        Session session, string name, string typical, string cast, List<string> conditions, long rows,
            CancellationToken cancellationToken)
    {
        var constants = conditions.SelectMany(condition => Constants().Matches(condition))
            .Select(match => $"SELECT ({match.Value}){cast} AS {name}").Distinct(StringComparer.Ordinal);
        var typicalOnes = string.Create(CultureInfo.InvariantCulture,
            $"SELECT ({typical}){cast} AS {name} FROM generate_series(1, {rows}) AS g (n)");
        var where = string.Join(" AND ", conditions.Select(condition => $"({condition})"));
        var candidates = new HashSet<string>(StringComparer.Ordinal);
        var held = 0L;
        foreach (var values in constants.Prepend(typicalOnes))
        {
            try
            {
                var found = await session.ReadAsync(
                    [RowMaker.TheirNames, $"SELECT {name}::text FROM ({values}) AS tried WHERE {where}"],
                    reader => Session.ResultAsync(reader, row => row.GetString(0), cancellationToken),
                    cancellationToken);
                held += values == typicalOnes ? found.Count : 0;
                candidates.UnionWith(found.Take(MostCandidates - candidates.Count));
            }
            catch (ProblemException e) when (session.IsOpen && e.InnerException is PostgresException)
            {
                // No value of this type, or one that the condition can't be asked about: the next may do.
            }
        }

        return ([.. candidates], held == rows);
    }

    private string? Typical(Column column)
    {
        var (name, category) = _types[column.TypeOid];
        return category switch
        {
            'E' => Label(column.TypeOid),
            'A' => "'{}'",
            'R' => "'empty'",
            _ => name switch
            {
                "int2" => "g.n % 32768",
                "int4" or "int8" or "float4" or "float8" or "oid" => "g.n",
                "numeric" => Digits(column.Type) is { } digits ? $"g.n % (10::numeric ^ {digits.ToString(CultureInfo.InvariantCulture)})"
                    : "g.n",
                "money" => "g.n::numeric",
                "text" or "varchar" or "bpchar" or "citext" or "name" => Words(column),
                "bool" => "g.n % 2 = 0",
                "uuid" => "gen_random_uuid()",
                "date" => "current_date - g.n::int",
                "timestamp" or "timestamptz" => "now() - g.n * interval '1 minute'",
                "time" or "timetz" => "time '00:00' + g.n * interval '1 second'",
                "interval" => "g.n * interval '1 second'",
                "json" or "jsonb" => "jsonb_build_object('n', g.n)",
                "bytea" => "int8send(g.n)",
                "inet" or "cidr" => "inet '10.0.0.0' + g.n",
                "tsvector" => "to_tsvector('simple', g.n::text)",
                _ => null,
            },
        };
    }

    /// <summary>The column's name and the row's number; where it has to be short, its end, which differs. What is between them puts them
    /// out of order: to sort what lies in order already takes hardly any time.</summary>
    private static string Words(Column column)
    {
        const string Number = "left(md5(g.n::text), 3) || g.n";
        var value = column.Name.Contains("email", StringComparison.OrdinalIgnoreCase) ? $"'person' || {Number} || '@example.org'"
            : column.Name.Contains("url", StringComparison.OrdinalIgnoreCase) ? $"'https://example.org/' || {Number}"
            : $"{SqlLiteral.Quote($"{column.Name}-")} || {Number}";
        return Length().Match(column.Type) is { Success: true } match ? $"right({value}, {match.Groups[1].Value})" : value;
    }

    private string? Label(uint type)
    {
        for (; _catalog.Types.GetValueOrDefault(type) is { Kind: 'd' } domain; type = domain.BaseType)
        {
        }

        var labels = _catalog.EnumValues.Values.Where(value => value.Type == type).OrderBy(value => value.Oid)
            .Select(value => SqlLiteral.Quote(value.Label)).ToImmutableArray();
        return labels.IsEmpty ? null
            : string.Create(CultureInfo.InvariantCulture, $"(ARRAY[{string.Join(", ", labels)}])[1 + g.n % {labels.Length}]");
    }

    /// <summary>The digits before the point; null where they are not limited.</summary>
    private static int? Digits(string type) =>
        Precision().Match(type) is { Success: true } match
            ? int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) - int.Parse(match.Groups[2].Value,
                CultureInfo.InvariantCulture)
            : null;

    [GeneratedRegex(@"\bnextval\(|uuid")]
    private static partial Regex GivesNewValues();

    [GeneratedRegex(@"\bVALUE\b")]
    private static partial Regex TheValue();

    [GeneratedRegex(@"'(?:[^']|'')*'|(?<![\w.])-?\d+(?:\.\d+)?(?![\w.])")]
    private static partial Regex Constants();

    [GeneratedRegex(@"\((\d+)\)$")]
    private static partial Regex Length();

    [GeneratedRegex(@"\((\d+),(\d+)\)$")]
    private static partial Regex Precision();
}
