using ChatGenius.Db.Sql;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Safety;

/// <summary>A migration as the safety analysis needs it.</summary>
/// <param name="Version">Its number.</param>
/// <param name="Name">Its name, without number and ending.</param>
/// <param name="Source">The file.</param>
/// <param name="Up">What brings the change.</param>
/// <param name="Down">What takes it back.</param>
public sealed record CheckedMigration(long Version, string Name, SourceText Source, CheckedSection Up, CheckedSection Down);

/// <summary>A section of a migration as the safety analysis needs it.</summary>
/// <param name="Where">The line that begins it.</param>
/// <param name="Transactional">Whether its statements are one transaction, which none of them ends.</param>
/// <param name="Irreversible">Whether a down section says that there is no way back.</param>
/// <param name="Script">Its statements.</param>
public sealed record CheckedSection(SourceLocation Where, bool Transactional, bool Irreversible, SqlScript Script);
