using ChatGenius.Db.Text;

namespace ChatGenius.Db.Connections;

/// <summary>
/// Reads libpq's connection service file (PostgreSQL documentation, "The Connection Service File", section 34.17): the user's, and then the
/// system's.
/// </summary>
internal static class ServiceFile
{
    /// <summary>Where the packages of PostgreSQL look for the system's file; <c>PGSYSCONFDIR</c> names another folder.</summary>
    private static readonly string[] SystemFolders =
        ["/etc/postgresql-common", "/etc/sysconfig/pgsql", "/usr/local/etc/postgresql", "/opt/homebrew/etc/postgresql", "/etc"];

    /// <summary>The parameters of a service.</summary>
    /// <param name="service">Its name, and where that was read.</param>
    /// <param name="named">The file that the connection string names; null for none.</param>
    /// <param name="environment">Gives <c>PGSERVICEFILE</c>, <c>PGSYSCONFDIR</c> and <c>HOME</c>.</param>
    /// <exception cref="ProblemException">CG0645: there is no such service, or its file can't be read; CG0603: a line of it can't
    /// be.</exception>
    internal static List<ConnectionParameter> Read(ConnectionParameter service, string? named, Func<string, string?> environment)
    {
        var own = named ?? environment("PGSERVICEFILE");
        var system = environment("PGSYSCONFDIR") is { Length: > 0 } folder ? [folder] : SystemFolders;
        string?[] files = [own ?? (environment("HOME") is { Length: > 0 } home ? Path.Combine(home, ".pg_service.conf") : null),
            .. system.Select(path => Path.Combine(path, "pg_service.conf"))];
        foreach (var file in files.OfType<string>().Where(file => file == own || File.Exists(file)))
        {
            if (Read(service, file) is { } parameters)
            {
                return parameters;
            }
        }

        throw Missing(service, $"There is no service \"{service.Value}\"",
            "Check its name; libpq looks in ~/.pg_service.conf, or the file that PGSERVICEFILE names.");
    }

    private static List<ConnectionParameter>? Read(ConnectionParameter service, string file)
    {
        List<ConnectionParameter>? parameters = null;
        var number = 0;
        foreach (var line in Lines(service, file))
        {
            number++;
            var text = line.Trim();
            if (text.StartsWith('['))
            {
                if (parameters is not null)
                {
                    return parameters;
                }

                parameters = text == $"[{service.Value}]" ? [] : null;
            }
            else if (parameters is not null && text.Length > 0 && text[0] != '#')
            {
                parameters.Add(Parameter(file, number, text));
            }
        }

        return parameters;
    }

    private static ConnectionParameter Parameter(string file, int number, string line)
    {
        var source = new ConnectionText(file, line, number);
        var equals = line.IndexOf('=', StringComparison.Ordinal);
        var name = equals < 0 ? line : line[..equals];
        if (equals < 0 || name is "service" or "servicefile")
        {
            source.Hide(Math.Max(equals + 1, 0), line.Length);
            throw new ProblemException("CG0603", "A line of a service is a connection parameter, written name=value, and no other service",
                source.At(0, line.Length));
        }

        if (name.Contains("password", StringComparison.OrdinalIgnoreCase))
        {
            source.Hide(equals + 1, line.Length);
        }

        return new ConnectionParameter(name, line[(equals + 1)..], source, 0, name.Length);
    }

    private static string[] Lines(ConnectionParameter service, string file)
    {
        try
        {
            return [.. OrdinaryFile.ReadLines(file)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Missing(service, $"The service file {file} can't be read: {e.Message}", "Check the path; PGSERVICEFILE names another.");
        }
    }

    private static ProblemException Missing(ConnectionParameter service, string message, string advice) =>
        new("CG0645", message, service.Where, advice);
}
