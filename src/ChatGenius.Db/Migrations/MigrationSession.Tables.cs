using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Migrations;

/// <summary>How the history's tables are made and upgraded.</summary>
internal sealed partial class MigrationSession
{
    /// <summary>Reads the history under the lock, and makes or upgrades its tables where they are not yet as this version makes
    /// them.</summary>
    /// <exception cref="ProblemException">CG0510, CG0512, CG0513.</exception>
    internal async Task<HistorySnapshot> PrepareAsync(HistoryColumns columns)
    {
        // What an earlier run has left on its way is waited for as soon as there is something that it could write.
        if (IsPooled)
        {
            // Where the pool has no second session for us, that is found before anything waits for a lock.
            await ReadAsync(HistoryColumns.Plan);
        }

        var history = await ReadAsync(columns, waitForWriters: History.Place.Exists);
        if (!History.Place.IsComplete && await CreateTablesAsync())
        {
            History.ExpectTables();
            history = await ReadAsync(columns, waitForWriters: true);
        }

        if (History.Place.StrangeLog is { } strange)
        {
            _events?.Report(new MigrationEvent.Remark($"Nothing is written into the log: {strange}"));
        }
        else if (History.Place.Has("log") && !History.Place.MayLog)
        {
            _events?.Report(new MigrationEvent.Remark(
                $"Nothing is written into the log. Let its owner run: GRANT INSERT ON {History.Schema}.log TO "
                    + $"{SqlIdentifier.Quote(Facts.RoleName)}"));
        }

        return history;
    }

    /// <summary>Makes what is missing of the history's tables.</summary>
    /// <returns>Whether something was made; where our role may not, a history of an older layout stays as it is, and that is
    /// said.</returns>
    private async Task<bool> CreateTablesAsync()
    {
        var place = History.Place;
        if (place.Exists && ((place.Missing.Any() && !place.MayCreate) || !place.OwnsTables))
        {
            var owner = SqlIdentifier.Quote(place.Owner);
            var grant = place.OwnsTables
                ? $"GRANT CREATE ON SCHEMA {History.Schema} TO {SqlIdentifier.Quote(Facts.RoleName)}"
                : $"GRANT {owner} TO {SqlIdentifier.Quote(Facts.RoleName)}";
            _events?.Report(new MigrationEvent.Remark(
                $"The history in schema {History.Schema} is kept in its older layout, without a log: role "
                    + $"{SqlIdentifier.Quote(Facts.RoleName)} may not upgrade it. "
                + $"Let {owner} run 'chatgenius-db apply' once, or run: {grant}"));
            return false;
        }

        try
        {
            await _limit.AnswerAsync(ExecuteAsync(
            [
                Begin,
                "SET LOCAL search_path = pg_catalog, pg_temp",
                .. Settings(local: true),
                .. History.HoldSchema(),
                .. place.Has("format") ? (string[])[History.Hold("format").Lock, History.Hold("format").Compare] : [],
                .. place.HasSchema ? [] : (string[])[HistoryTables.CreateSchema(History.Schema, isNew: true)],
                .. HistoryTables.CreateStatements(History.Schema, place),
                "COMMIT",
            ]));
            return true;
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.DuplicateTable
            or PostgresErrorCodes.DuplicateSchema)
        {
            // The run that had the lock before us has made them; it may have been dead already when its commit came through. Or they are
            // somebody else's: that is looked at next.
            await RollbackAsync();
            return true;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InsufficientPrivilege && !place.Exists)
        {
            var role = SqlIdentifier.Quote(Facts.RoleName);
            throw new ProblemException(
                new Problem(
                    "CG0510",
                    $"The history's {(place.HasSchema ? "tables" : "schema")} {(place.HasSchema ? "in schema " : "")}{History.Schema} "
                        + $"can't be created: {e.MessageText}",
                    Advice: place.HasSchema
                        ? $"Let the schema's owner run: GRANT CREATE ON SCHEMA {History.Schema} TO {role}"
                        : $"Let the database's owner run: CREATE SCHEMA {History.Schema} AUTHORIZATION {role}, or: "
                            + $"GRANT CREATE ON DATABASE {SqlIdentifier.Quote(Facts.DatabaseName)} TO {role}"),
                e);
        }
        catch (PostgresException e)
        {
            throw Unwritable(e);
        }
    }
}
