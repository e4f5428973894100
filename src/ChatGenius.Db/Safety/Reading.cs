using System.Collections.Immutable;

namespace ChatGenius.Db.Safety;

/// <summary>What is read in the session that runs a migration.</summary>
/// <param name="Catalog">The catalogs.</param>
/// <param name="Counters">What the session did to the user's relations.</param>
/// <param name="CatalogWrites">How many rows of the catalogs it wrote; null where the server doesn't count.</param>
/// <param name="LockTimeout">The setting.</param>
/// <param name="Locks">The locks that it holds.</param>
internal sealed record Reading(
    Catalog Catalog, ImmutableDictionary<uint, Activity> Counters, long? CatalogWrites, string LockTimeout, HeldLocks Locks);
