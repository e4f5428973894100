using System.Collections.Frozen;
using System.Text;

namespace ChatGenius.Db.Sql;

/// <summary>How PostgreSQL writes names: quoted where they need it, and cut to the length that the catalog holds.</summary>
internal static class SqlIdentifier
{
    /// <summary>
    /// The longest name in bytes of UTF-8 (<c>NAMEDATALEN</c> - 1; chapter "Identifiers and Key Words"). PostgreSQL cuts
    /// a longer one with no more than a notice, so two long names can become the same one.
    /// </summary>
    public const int MaxBytes = 63;

    /// <summary>
    /// The keywords of PostgreSQL 18 that <c>quote_ident</c> quotes: appendix "SQL Key Words", those that the column
    /// "PostgreSQL" calls reserved, reserved (can be function or type) and non-reserved (cannot be function or type).
    /// A keyword that older versions don't have yet is quoted there too, which means the same.
    /// </summary>
    private static readonly FrozenSet<string> Keywords = (
        "all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case cast char character "
        + "check coalesce collate collation column concurrently constraint create cross current_catalog current_date current_role "
        + "current_schema current_time current_timestamp current_user dec decimal default deferrable desc distinct do else end except "
        + "exists extract false fetch float for foreign freeze from full grant greatest group grouping having ilike in initially inner "
        + "inout int integer intersect interval into is isnull join json json_array json_arrayagg json_exists json_object json_objectagg "
        + "json_query json_scalar json_serialize json_table json_value lateral leading least left like limit localtime localtimestamp "
        + "merge_action national natural nchar none normalize not notnull null nullif numeric offset on only or order out outer overlaps "
        + "overlay placing position precision primary real references returning right row select session_user setof similar smallint some "
        + "substring symmetric system_user table tablesample then time timestamp to trailing treat trim true union unique user using "
        + "values varchar variadic verbose when where window with xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces "
        + "xmlparse xmlpi xmlroot xmlserialize xmltable").Split(' ').ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Writes a name as <c>quote_ident</c> does: as it stands where that means the same, else in double quotes.</summary>
    /// <param name="name">The name as the catalog holds it, of any length.</param>
    /// <exception cref="ArgumentException">The name has the character U+0000, which PostgreSQL can't store.</exception>
    public static string Quote(string name)
    {
        if (name.Contains('\0', StringComparison.Ordinal))
        {
            throw new ArgumentException("A name can't contain the character U+0000.", nameof(name));
        }

        return IsPlain(name) && !Keywords.Contains(name) ? name : $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }

    /// <summary>Writes a name with its schema.</summary>
    public static string Quote(string schema, string name) => $"{Quote(schema)}.{Quote(name)}";

    /// <summary>Cuts a name to <see cref="MaxBytes"/> bytes, never inside a character.</summary>
    public static string Truncate(string name) => Clip(name, MaxBytes);

    /// <summary>
    /// Makes the name that PostgreSQL would choose for a constraint or an index: <c>table_column_label</c>. Where that is
    /// over <see cref="MaxBytes"/> bytes, the longer of table and column is shortened first, so that both stay readable
    /// and the label is kept (<c>makeObjectName</c> in <c>src/backend/commands/indexcmds.c</c>).
    /// </summary>
    /// <param name="table">The table's name, not quoted.</param>
    /// <param name="columns">The columns' names joined by <c>_</c>, not quoted; null for a primary key.</param>
    /// <param name="label"><c>pkey</c>, <c>key</c>, <c>fkey</c>, <c>check</c>, <c>idx</c>, …</param>
    public static string ObjectName(string table, string? columns, string label)
    {
        var available = MaxBytes - label.Length - 1 - (columns is null ? 0 : 1);
        var tableBytes = Encoding.UTF8.GetByteCount(table);
        var columnBytes = columns is null ? 0 : Encoding.UTF8.GetByteCount(columns);
        while (tableBytes + columnBytes > available)
        {
            if (tableBytes > columnBytes)
            {
                tableBytes--;
            }
            else
            {
                columnBytes--;
            }
        }

        return columns is null ? $"{Clip(table, tableBytes)}_{label}" : $"{Clip(table, tableBytes)}_{Clip(columns, columnBytes)}_{label}";
    }

    private static bool IsPlain(string name)
    {
        if (name.Length == 0 || char.IsAsciiDigit(name[0]))
        {
            return false;
        }

        foreach (var c in name)
        {
            if (!char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c != '_')
            {
                return false;
            }
        }

        return true;
    }

    private static string Clip(string text, int bytes)
    {
        var end = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            bytes -= rune.Utf8SequenceLength;
            if (bytes < 0)
            {
                return text[..end];
            }

            end += rune.Utf16SequenceLength;
        }

        return text;
    }
}
