using ChatGenius.Db.Text;

namespace ChatGenius.Db.Sql;

/// <summary>A statement of a file with SQL of ours around it; the server's positions are still those of the file.</summary>
internal sealed class WrappedStatement : SqlStatement
{
    private readonly string _before;
    private readonly string _after;
    private readonly SqlStatement _inner;

    /// <param name="before">What comes before it.</param>
    /// <param name="inner">The statement, itself one with something of ours in it perhaps.</param>
    /// <param name="after">What comes after it.</param>
    internal WrappedStatement(string before, SqlStatement inner, string after)
        : base(inner) => (_before, _inner, _after) = (before, inner, after);

    /// <inheritdoc/>
    public override string Text => _before + _inner.Text + _after;

    /// <inheritdoc/>
    public override SourceLocation At(int position) => _inner.At(Math.Max(1, position - _before.EnumerateRunes().Count()));
}
