using ChatGenius.Db.Connections;
using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Migrations;

/// <summary>A statement of a file, a command of our own, or one of ours that has a question of the file in it.</summary>
internal readonly record struct StepCommand(SqlStatement? Statement, NpgsqlBatchCommand? Ours, string? Text)
{
    public static implicit operator StepCommand(SqlStatement statement) => new(statement, null, null);

    public static implicit operator StepCommand(NpgsqlBatchCommand command) => new(null, command, null);

    public static implicit operator StepCommand(string text) => new(null, null, text);

    /// <summary>What a step asks before or after its statements.</summary>
    internal static IEnumerable<StepCommand> Asked(MigrationStep step, bool isAfter) =>
        step.Section.Assertions.Where(asked => asked.IsAfter == isAfter)
            .Select(asked => new StepCommand(asked.Statement, null, asked.Command));

    internal void AddTo(SqlPipeline<MigrationStep> pipeline, MigrationStep owner, bool asText)
    {
        switch (this)
        {
            case { Statement: not null, Text: not null }: pipeline.Add(owner, Statement, Text); break;
            case { Statement: not null }: pipeline.Add(owner, Statement, asText); break;
            default: pipeline.Add(owner, Ours ?? new NpgsqlBatchCommand(Text!)); break;
        }
    }
}
