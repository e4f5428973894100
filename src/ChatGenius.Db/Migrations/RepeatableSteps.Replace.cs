using System.Text.RegularExpressions;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;
using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Migrations;

/// <summary>How an object is replaced that PostgreSQL does not replace: it goes with all that can be made again, and that is
/// made again.</summary>
internal sealed partial class RepeatableSteps
{
    /// <summary>The SQLSTATEs with which the server says that an object can't be replaced by another one.</summary>
    private static readonly string[] CannotReplace =
        [PostgresErrorCodes.InvalidTableDefinition, PostgresErrorCodes.InvalidFunctionDefinition, PostgresErrorCodes.DuplicateObject];

    /// <summary>Runs one statement; what it can't replace is dropped before it, where all that goes with it can be made again.</summary>
    private async Task RunAsync(
        MigrationStep step, SqlStatement statement, List<MigrationStep> again, CancellationToken cancellationToken)
    {
        SqlPipelineException<MigrationStep> failure;
        try
        {
            await RunAsync(step, [$"SAVEPOINT {One}"], [statement], [$"RELEASE SAVEPOINT {One}"], cancellationToken);
            return;
        }
        catch (SqlPipelineException<MigrationStep> e) when (MayBeHelped(e))
        {
            failure = e;
            await RunAsync(step, [$"ROLLBACK TO SAVEPOINT {One}"], CancellationToken.None);
        }

        if (SqlPipeline<MigrationStep>.WantsText(failure.Error))
        {
            await RunAsync(step, [], [statement], [], cancellationToken, asText: true);
            return;
        }

        if (!IsReplaceable(failure) || await FindAsync(step, statement, failure.Error, cancellationToken) is not { } target)
        {
            throw failure;
        }

        var all = await Dependents.ReadAsync(_inner, target.Catalog, target.Oid, CancellationToken.None);
        var own = all[^1];
        if (own.Kind != "view" && !MayGo(own))
        {
            throw failure;
        }

        if (all.Where(one => one != own && !MayGo(one)).ToList() is { Count: > 0 } kept)
        {
            throw new ProblemException(Used(step, failure, own, kept));
        }

        var facts = new Dictionary<Dependent, List<ObjectFact>>();
        foreach (var one in all.Where(one => one.HasFacts))
        {
            facts.Add(one, await Dependents.FactsAsync(_inner, one, CancellationToken.None));
        }

        await RunAsync(step, [.. all.Select(one => one.Drop)], cancellationToken);
        await RunAsync(step, [], [statement], own.HasFacts ? [] : own.Makes[1..], cancellationToken);
        await RestoreAsync(step, own, facts.GetValueOrDefault(own, []), mayLack: true, cancellationToken);
        foreach (var one in all.Reverse().Skip(1))
        {
            await MakeAsync(step, own, one, facts.GetValueOrDefault(one, []), again, cancellationToken);
        }
    }

    /// <summary>Makes again from the catalog what had to go; where the new object does not allow that, its file has to.</summary>
    private async Task MakeAsync(
        MigrationStep step, Dependent own, Dependent one, List<ObjectFact> facts, List<MigrationStep> again,
        CancellationToken cancellationToken)
    {
        try
        {
            await RunAsync(step, [$"SAVEPOINT {One}", .. one.Makes, $"RELEASE SAVEPOINT {One}"], cancellationToken);
            await RestoreAsync(step, one, facts, mayLack: false, cancellationToken);
        }
        catch (SqlPipelineException<MigrationStep> e) when (MayBeHelped(e))
        {
            await RunAsync(step, [$"ROLLBACK TO SAVEPOINT {One}"], CancellationToken.None);
            var file = files.FirstOrDefault(file => Repeatable.Created(file.Up.Script).Any(made => Is(made, one)))
                ?? throw new ProblemException(new Problem(
                    "CG0528", $"{step.Id}: {one.Display} uses {own.Display}, and can't be made again: {e.Error.MessageText} "
                        + $"(SQLSTATE {e.Error.SqlState})",
                    step.Section.Where,
                    $"No repeatable object was changed. Change {one.Display} in a file of {Repeatable.FolderName} too, "
                        + "or keep what it uses."));
            var other = plan.Steps.FirstOrDefault(other => other.IsRepeatable && other.Name == file.Name) ?? MigrationStep.Of(file);
            _waiting.TryAdd(other, []);
            _waiting[other].Add((one, facts));
            again.Add(other);
        }
    }

    /// <summary>After a file has run: what had to go before it gets back what it had, and then the file says the last word.</summary>
    private async Task GiveBackAsync(MigrationStep step, List<MigrationStep> again, CancellationToken cancellationToken)
    {
        if (!_waiting.Remove(step, out var gone))
        {
            return;
        }

        foreach (var (one, facts) in gone.Where(gone => gone.One.HasFacts))
        {
            await RestoreAsync(step, one, facts, mayLack: false, cancellationToken);
        }

        again.Add(step);
    }

    /// <summary>Gives an object that was made again its owner, privileges, comments and what else it had.</summary>
    private async Task RestoreAsync(
        MigrationStep step, Dependent one, List<ObjectFact> facts, bool mayLack, CancellationToken cancellationToken)
    {
        foreach (var onlyOwner in (bool[])[true, false])
        {
            var now = one.HasFacts ? await Dependents.FactsAsync(_inner, one, CancellationToken.None) : [];
            if (now.Count == 0 && facts.Count > 0 && !mayLack)
            {
                throw new ProblemException(new Problem(
                    "CG0528", $"{step.Id} does not make {one.Display}, which had to go for the sake of another",
                    step.Section.Where, "No repeatable object was changed. Drop it in a migration first, if it is needed no more."));
            }

            foreach (var fact in onlyOwner || now.Count == 0 ? [] : now.Except(facts).Where(fact => fact.Undo is not null))
            {
                await RunAsync(step, [fact.Undo!], cancellationToken);
            }

            foreach (var fact in now.Count == 0 ? [] : facts.Except(now).Where(fact => fact.Kind == "owner" == onlyOwner))
            {
                await GiveAsync(step, fact, cancellationToken);
            }
        }
    }

    /// <summary>What belonged to a column that is no more goes with it.</summary>
    private async Task GiveAsync(MigrationStep step, ObjectFact fact, CancellationToken cancellationToken)
    {
        try
        {
            await RunAsync(step, [$"SAVEPOINT {One}", fact.Sql, $"RELEASE SAVEPOINT {One}"], cancellationToken);
        }
        catch (SqlPipelineException<MigrationStep> e) when (fact.Kind == "column"
            && e.Error.SqlState == PostgresErrorCodes.UndefinedColumn)
        {
            await RunAsync(step, [$"ROLLBACK TO SAVEPOINT {One}"], CancellationToken.None);
        }
    }

    /// <summary>The object in whose place a statement wants to put another one; in the session as the statement found it.</summary>
    private async Task<(uint Catalog, uint Oid)?> FindAsync(
        MigrationStep step, SqlStatement statement, PostgresException error, CancellationToken cancellationToken)
    {
        var created = Repeatable.CreatedBy(statement);
        string? expression = created switch
        {
            { Kind: "view" } => $"pg_catalog.to_regclass({SqlLiteral.Quote(created.Name.Sql)})",
            // The hint names it with its types in every language: DROP FUNCTION name(types).
            { Kind: "function" or "procedure" } when RoutineToDrop().Match(error.Hint ?? "") is { Success: true } match =>
                $"pg_catalog.to_regprocedure({SqlLiteral.Quote(match.Groups[1].Value)})",
            { Kind: "policy", Table: { } table } => OnTable("pg_policy", "polname", "polrelid", created.Name, table),
            { Kind: "trigger", Table: { } table } => OnTable("pg_trigger", "tgname", "tgrelid", created.Name, table),
            _ => null,
        };
        if (expression is null)
        {
            return null;
        }

        uint oid = 0;
        var pipeline = session.Sent = new SqlPipeline<MigrationStep>(session.Connection);
        pipeline.Add(step, $"SELECT coalesce({expression}::pg_catalog.oid, 0::pg_catalog.oid) AS {One}");
        await pipeline.RunAsync(One, reader => oid = reader.GetFieldValue<uint>(0), cancellationToken);
        return oid == 0 ? null : (Dependents.CatalogOf(created!.Kind), oid);

        static string OnTable(string catalog, string ofName, string ofTable, StatementName name, StatementName table) =>
            $"(SELECT oid FROM pg_catalog.{catalog} WHERE {ofName} OPERATOR(pg_catalog.=) {SqlLiteral.Quote(name.Name)} AND {ofTable} "
            + $"OPERATOR(pg_catalog.=) pg_catalog.to_regclass({SqlLiteral.Quote(table.Sql)}))";
    }

    [GeneratedRegex(@"DROP \w+ (.+\))", RegexOptions.Singleline)]
    private static partial Regex RoutineToDrop();

    private bool MayGo(Dependent one) => one.Makes.Length > 0 && (one.Kind == "view" || _known.Exists(made => Is(made, one)));

    private static bool Is(CreatedObject made, Dependent one) => made.MayBe(one.Kind, one.Schema, one.Name, one.Table);

    private static bool IsReplaceable(SqlPipelineException<MigrationStep> e) =>
        e.Statement is { } statement && statement.Is("CREATE") && CannotReplace.Contains(e.Error.SqlState);

    /// <summary>Whether what comes after it may mend it; a lock, a cancel and a lost connection end the attempt.</summary>
    private static bool MayBeHelped(SqlPipelineException<MigrationStep> e) => !StepProblem.IsLockConflict(e.Error)
        && e.Error.SqlState != PostgresErrorCodes.QueryCanceled && !SessionProblem.EndsSession(e.Error);

    private static Problem Used(
        MigrationStep step, SqlPipelineException<MigrationStep> failure, Dependent own, List<Dependent> kept) => new(
        "CG0528",
        $"{step.Id}: {own.Display} can't be replaced ({failure.Error.MessageText}), and not dropped either, because others use it\n"
            + string.Join('\n', kept.AsEnumerable().Reverse().Select(one => one.Display)),
        failure.Error.Position > 0 ? failure.Statement!.At(failure.Error.Position) : failure.Statement!.Location,
        "No repeatable object was changed. Drop what uses it in a migration, and make it again in a repeatable object or in a later one.");
}
