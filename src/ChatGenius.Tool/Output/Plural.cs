using ChatGenius.Db.Sql;

namespace ChatGenius.Tool.Output;

internal static class Plural
{
    /// <summary><c>1 migration</c>, <c>2 migrations</c>, <c>12,345 rows</c>.</summary>
    public static string Of(long count, string noun) => Names.Count(count, noun);
}
