using ChatGenius.Db.Text;

namespace ChatGenius.Db.Templates;

/// <summary>A column as given on the command line: <c>name[:type][?][=default][:modifier…]</c>.</summary>
/// <param name="Name">The name as the catalog is to hold it; not quoted.</param>
/// <param name="Type">The type as SQL, such as <c>NUMERIC(10, 2)</c>; null where none was given.</param>
/// <param name="Nullable">Whether <c>?</c> stood behind the type.</param>
/// <param name="Default">The default as SQL; null where none was given.</param>
/// <param name="Where">The argument and the place of the name in it.</param>
internal sealed record ColumnSpec(string Name, string? Type, bool Nullable, string? Default, SourceLocation Where)
{
    /// <summary>The foreign key, if there is one.</summary>
    public ColumnReference? References { get; init; }

    /// <summary>The conditions of <c>check(…)</c>, as SQL.</summary>
    public IReadOnlyList<string> Checks { get; init; } = [];

    /// <summary>The column lists of <c>unique</c> and <c>unique(…)</c>.</summary>
    public IReadOnlyList<ColumnList> Uniques { get; init; } = [];

    /// <summary>The column lists of <c>index</c> and <c>index(…)</c>.</summary>
    public IReadOnlyList<ColumnList> Indexes { get; init; } = [];

    /// <summary>Whether PostgreSQL numbers the rows (<c>GENERATED ALWAYS AS IDENTITY</c>).</summary>
    public bool Identity { get; init; }

    /// <summary>Reads columns, as many as there are arguments.</summary>
    /// <param name="arguments">As the shell gave them.</param>
    /// <param name="first">The number of the first one among the command's arguments, for messages; from 1.</param>
    /// <exception cref="ProblemException">
    /// CG0802: the form is wrong; CG0803: no such type; CG0804: no such modifier; CG0805: the default is no value of the type;
    /// CG0806: two columns of one name. All arguments are read, and what is wrong with each is reported.
    /// </exception>
    public static IReadOnlyList<ColumnSpec> ParseAll(IReadOnlyList<string> arguments, int first = 2)
    {
        var columns = new List<ColumnSpec>();
        var problems = new List<Problem>();
        for (var i = 0; i < arguments.Count; i++)
        {
            try
            {
                var column = new ColumnParser(arguments[i], $"argument {first + i}").Parse();
                if (columns.Exists(other => other.Name == column.Name))
                {
                    throw new ProblemException("CG0806", $"The column \"{column.Name}\" is given twice", column.Where);
                }

                columns.Add(column);
            }
            catch (ProblemException e)
            {
                problems.AddRange(e.Problems);
            }
        }

        return problems.Count == 0 ? columns : throw new ProblemException(problems);
    }
}

/// <summary>The other end of a foreign key.</summary>
/// <param name="Table">The table referred to; not quoted.</param>
/// <param name="Column">Its column; not quoted.</param>
/// <param name="OnDelete">What a delete of the parent does, as SQL: <c>CASCADE</c>, <c>RESTRICT</c>, <c>SET NULL</c>, …</param>
internal sealed record ColumnReference(string Table, string Column, string OnDelete);

/// <summary>Names between parentheses, as in <c>unique(message,user)</c>.</summary>
/// <param name="Names">As given; <c>message</c> may stand for the column <c>message_id</c>. Empty: the column itself.</param>
internal sealed record ColumnList(IReadOnlyList<ColumnName> Names);

/// <summary>A name and where it is.</summary>
internal sealed record ColumnName(string Name, SourceLocation Where);
