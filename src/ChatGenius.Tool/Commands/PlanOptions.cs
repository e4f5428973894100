namespace ChatGenius.Tool.Commands;

/// <summary>The options that <c>apply</c>, <c>plan</c> and <c>script</c> share: which migrations belong to the plan.</summary>
internal sealed class PlanOptions
{
    private readonly CommandOption _to, _steps, _onlyBatches, _noBatches;

    public PlanOptions(CommandLineApplication app)
    {
        _to = app.Option("--to <NUMBER>", "The last migration to apply", CommandOptionType.SingleValue);
        _steps = app.Option("--steps <N>", "How many to apply, oldest first", CommandOptionType.SingleValue);
        _onlyBatches = app.Option("--only-batches", "Those in batches that come next", CommandOptionType.NoValue);
        _noBatches = app.Option("--no-batches", "Those before the first in batches", CommandOptionType.NoValue);
        SettingKey.OutOfOrder.Declare(app);
        SettingKey.AllowMissing.Declare(app);
        SettingKey.Fresh.Declare(app);
    }

    /// <summary>The last migration; null where it was not named.</summary>
    public long? To => _to.Migration();

    /// <summary>How many; null where it was not said.</summary>
    public int? Steps => (int?)_steps.Number(least: 1, most: int.MaxValue);

    /// <exception cref="ProblemException">CG1006: a value is none; CG1007: --to and --steps.</exception>
    public PlanRequest Request(Settings settings)
    {
        var to = _to.Migration(least: 1);
        return to is null || Steps is null
            ? new(to, settings.Has(SettingKey.OutOfOrder), settings.Has(SettingKey.AllowMissing), Steps, settings.Has(SettingKey.Fresh))
            {
                Batches = Batches,
            }
            : throw new ProblemException("CG1007", "--to and --steps exclude each other", advice: "Leave one out.");
    }

    private BatchChoice Batches => (_onlyBatches.HasValue(), _noBatches.HasValue()) switch
    {
        (true, true) => throw new ProblemException(
            "CG1007", "--only-batches and --no-batches exclude each other", advice: "Leave one out."),
        (true, _) => BatchChoice.Only,
        (_, true) => BatchChoice.None,
        _ => BatchChoice.All,
    };
}
