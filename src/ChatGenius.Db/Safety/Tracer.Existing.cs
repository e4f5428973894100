using System.Collections.Immutable;
using ChatGenius.Db.Files;
using ChatGenius.Db.Replay;
using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Safety;

/// <summary>What a statement with <c>IF NOT EXISTS</c> finds, and what it would make if nothing were there: a line each.</summary>
/// <param name="There">Columns, constraints, definition of what is there.</param>
/// <param name="Made">The same of what the statement makes.</param>
internal sealed record ExistingObject(ImmutableArray<string> There, ImmutableArray<string> Made)
{
    /// <summary>Whether they are the same.</summary>
    public bool IsSame => There.SequenceEqual(Made);
}

internal sealed partial class Tracer
{
    /// <summary>
    /// Tries in a transaction that is rolled back what each such statement would make, with what is there out of its way. Only where the
    /// catalog has something of its name: it runs the section once more, up to the last of them.
    /// </summary>
    private async Task<ImmutableDictionary<int, ExistingObject>> FindExistingAsync(
        MigrationSection section, CancellationToken cancellationToken)
    {
        var found = ImmutableDictionary.CreateBuilder<int, ExistingObject>();
        var targets = section.Script.Statements.Select(statement => Existing.Read(new StatementText(statement)))
            .Select(target => target is not null && target.IsIn(_catalog) ? target : null).ToList();
        var last = targets.FindLastIndex(target => target is not null);
        if (last < 0)
        {
            return found.ToImmutable();
        }

        try
        {
            await (section.Script.Statements.Any(EndsPrepared) ? _reader.ForgetAsync() : Task.CompletedTask);
            await CommandAsync("BEGIN", cancellationToken);
            for (var i = 0; i <= last; i++)
            {
                var statement = section.Script.Statements[i];
                if (statement.TransactionControl != SqlTransactionControl.None)
                {
                    break;
                }

                if (targets[i] is { } target && await DescribeAsync(target, cancellationToken) is { IsEmpty: false } there)
                {
                    await CommandAsync("SAVEPOINT chatgenius_db_existing", cancellationToken);
                    await CommandAsync(target.Drop, cancellationToken);
                    await CommandAsync(target.Make(statement), cancellationToken);
                    found.Add(i, new ExistingObject(there, await DescribeAsync(target, cancellationToken)));
                    await CommandAsync("ROLLBACK TO SAVEPOINT chatgenius_db_existing", cancellationToken);
                }
                else if (!StatementPolicy.NeedsToRunAlone(statement)
                    && await _session.ReasonNotToRunAsync(statement, cancellationToken) is null)
                {
                    await _session.ExecuteAsync(statement, guarded: false, cancellationToken);
                }
            }
        }
        catch (PostgresException)
        {
            // The trace says what fails. What is not found out here is said to be unknown.
        }

        await CommandAsync("ROLLBACK", cancellationToken);
        return found.ToImmutable();
    }

    private async Task<ImmutableArray<string>> DescribeAsync(Existing target, CancellationToken cancellationToken)
    {
        var lines = ImmutableArray.CreateBuilder<string>();
        await ReadAsync(_session.Subject, target.Describe, reader => lines.Add(reader.GetString(0)), cancellationToken);
        return lines.ToImmutable();
    }

    /// <summary>The target of a statement with <c>IF NOT EXISTS</c>.</summary>
    /// <param name="Kind">What it makes, as DROP names it.</param>
    /// <param name="Relation">Its name, or that of the table that gets a column.</param>
    /// <param name="Column">The column.</param>
    private sealed record Existing(string Kind, StatementName Relation, string? Column)
    {
        private const string Is = "OPERATOR(pg_catalog.=)";
        private const string IsNot = "OPERATOR(pg_catalog.<>)";

        private static readonly string[][] Kinds = [["TABLE"], ["INDEX"], ["SEQUENCE"], ["MATERIALIZED", "VIEW"]];

        internal string Drop => Column is null ? $"DROP {Kind} {Relation.Sql} CASCADE"
            : $"ALTER TABLE {Relation.Sql} DROP COLUMN {SqlIdentifier.Quote(Column)} CASCADE";

        internal string Describe
        {
            get
            {
                // The migration's search_path finds the relation, and no operator or function.
                var oid = $"pg_catalog.to_regclass({SqlLiteral.Quote(Relation.Sql)})::pg_catalog.oid";
                var column = Column is null ? "" : $" AND attname {Is} {SqlLiteral.Quote(Column)}";
                return $"""
                    SELECT line FROM (
                        SELECT pg_catalog.concat('column ', pg_catalog.quote_ident(attname), ' ',
                            pg_catalog.format_type(atttypid, atttypmod), CASE WHEN attnotnull THEN ' NOT NULL' END,
                            CASE WHEN attidentity {IsNot} '' THEN ' IDENTITY' WHEN attgenerated {IsNot} '' THEN ' GENERATED' END,
                            CASE WHEN adbin IS NOT NULL THEN ' DEFAULT ' END, pg_catalog.pg_get_expr(adbin, adrelid)) AS line
                        FROM pg_catalog.pg_attribute
                        LEFT JOIN pg_catalog.pg_attrdef ON adrelid {Is} attrelid AND adnum {Is} attnum
                        WHERE attrelid {Is} {oid} AND attnum OPERATOR(pg_catalog.>) 0 AND NOT attisdropped{column}
                        UNION ALL
                        SELECT pg_catalog.concat('constraint ', pg_catalog.quote_ident(conname), ' ',
                            pg_catalog.pg_get_constraintdef(c.oid))
                        FROM pg_catalog.pg_constraint c
                        WHERE conrelid {Is} {oid} AND contype {IsAmong("p,u,c,f,x")}{(Column is null ? "" : $"""
                             AND conkey OPERATOR(pg_catalog.@>) ARRAY(
                                SELECT attnum FROM pg_catalog.pg_attribute WHERE attrelid {Is} {oid}{column} AND NOT attisdropped)
                            """)}
                        UNION ALL
                        SELECT CASE WHEN relkind {Is} 'm' THEN pg_catalog.concat('query ', pg_catalog.pg_get_viewdef(oid))
                            WHEN relkind {Is} 'S' THEN 'sequence' ELSE pg_catalog.pg_get_indexdef(oid) END
                        FROM pg_catalog.pg_class
                        WHERE oid {Is} {oid} AND relkind {IsAmong("i,I,m,S")} AND {(Column is null ? "true" : "false")}
                        UNION ALL
                        SELECT pg_catalog.format('from %s to %s by %s, start %s, cycle %s, %s',
                            seqmin, seqmax, seqincrement, seqstart, seqcycle, seqtypid::pg_catalog.regtype)
                        FROM pg_catalog.pg_sequence WHERE seqrelid {Is} {oid}
                    ) lines ORDER BY line
                    """;
            }
        }

        private static string IsAmong(string letters) => $"{Is} ANY ('{{{letters}}}'::pg_catalog.\"char\"[])";

        /// <summary>The target; null for other statements, and where the name is left to the server.</summary>
        internal static Existing? Read(StatementText text)
        {
            var guard = text.Find(0, "IF", "NOT", "EXISTS");
            if (guard < 0)
            {
                return null;
            }

            if (text.Is("ALTER", "TABLE"))
            {
                var actions = text.AlterTableActions().ToList();
                return actions.Count == 1 && text.NameAt(text.SkipGuards(2)) is { } table && text.NameAt(guard + 3) is { } column
                    && text.At(actions[0].Start, "ADD") ? new Existing("COLUMN", table, column.Name) : null;
            }

            var at = guard;
            return text.Is("CREATE") && text.NameAt(guard + 3) is { } name
                && Kinds.FirstOrDefault(kind => text.At(at - kind.Length, kind) || text.At(at - 1 - kind.Length, [.. kind, "CONCURRENTLY"]))
                    is { } found ? new Existing(string.Join(' ', found), name, null) : null;
        }

        internal bool IsIn(Catalog catalog) => catalog.Relations.Values.Any(relation => relation.Name == Relation.Name
            && (Column is null || catalog.ColumnsOf(relation.Oid).Any(column => column.Name == Column)));

        /// <summary>The statement as it can run in a transaction.</summary>
        internal string Make(SqlStatement statement)
        {
            foreach (var token in statement.Tokens())
            {
                if (Kind == "INDEX" && token.Length == "CONCURRENTLY".Length && statement.Source.Substring(token.Start, token.End)
                    .Equals("CONCURRENTLY", StringComparison.OrdinalIgnoreCase))
                {
                    return statement.Source.Substring(statement.Start, token.Start)
                        + statement.Source.Substring(token.End, statement.End);
                }
            }

            return statement.Text;
        }
    }
}
