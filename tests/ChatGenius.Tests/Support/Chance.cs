using FsCheck.Xunit;

namespace ChatGenius.Tests.Support;

/// <summary>
/// What is left to chance: <c>CHATGENIUS_TEST_SEED</c> fixes it (as <c>.ci/run</c> does, because a gate must not fail for what nobody
/// changed), and <c>CHATGENIUS_TEST_CASES</c> makes every property run so many cases (as the nightly run does).
/// </summary>
public static class Chance
{
    /// <summary>What random moments and values are drawn from. Tests that use it print it.</summary>
    public static int Seed { get; } = Number("CHATGENIUS_TEST_SEED") ?? Random.Shared.Next();

    /// <summary>How many cases to try: so many, or as many as are asked for.</summary>
    public static int Cases(int usually) => Number("CHATGENIUS_TEST_CASES") ?? usually;

    /// <summary>A number in the environment; null where there is none.</summary>
    public static int? Number(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}

/// <summary>The properties of a class: their seed and their number of cases are <see cref="Chance"/>'s.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class ChancesAttribute : PropertiesAttribute
{
    /// <param name="usually">How many cases each tries where the environment asks for no other number.</param>
    public ChancesAttribute(int usually)
    {
        MaxTest = Chance.Cases(usually);

        // The second number has to be odd.
        Replay = string.Create(CultureInfo.InvariantCulture, $"{Chance.Seed},{2 * (Chance.Seed / 2) + 1}");
    }
}
