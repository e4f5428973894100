using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ChatGenius.Db.Server;
using ChatGenius.Tests.Server;

namespace ChatGenius.Tests.Connections;

/// <summary>Every way of not getting in, on a server that asks for passwords and speaks TLS.</summary>
[UnsupportedOSPlatform("windows")]
[Trait("Needs", "Unix")]
public sealed class ConnectionProblemTests(GuardedServer server) : IClassFixture<GuardedServer>
{
    [Fact]
    public async Task A_wrong_password_and_none_are_told_apart()
    {
        (await CodeOf(server.Url("postgres:wrong@"))).ShouldBe("CG0613");
        (await CodeOf(server.Url("postgres@", "passfile=/nowhere"))).ShouldBe("CG0614");
    }

    [Fact]
    public async Task A_role_that_is_not_there_is_named()
    {
        var problem = await ProblemOf(server.Url("nobody_here@", "host=" + server.SocketFolder));

        (problem.Code, problem.Message.Contains("\"nobody_here\"", StringComparison.Ordinal)).ShouldBe(("CG0616", true));
    }

    [Fact]
    public async Task Without_an_entry_in_pg_hba_the_way_out_is_pg_hba()
    {
        var problem = await ProblemOf(server.Url("plain:secret@", "sslmode=disable"));

        problem.Code.ShouldBe("CG0615");
        problem.Advice!.ShouldContain("pg_hba.conf");
    }

    [Fact]
    public async Task A_database_that_may_not_be_entered_is_a_problem()
    {
        (await CodeOf(server.Url("plain:secret@").WithDatabase("closed"))).ShouldBe("CG0618");
        (await CodeOf(server.Url("plain:secret@").WithDatabase("template0"))).ShouldBe("CG0618");
        (await CodeOf(server.Url("plain:secret@").WithDatabase("absent"))).ShouldBe("CG0617");
    }

    [Fact]
    public async Task No_connection_to_spare_is_a_problem_that_may_pass()
    {
        var e = await Should.ThrowAsync<ProblemException>(() => new Database(server.Url("limited:secret@")).ConnectAsync());

        e.Problems[0].Code.ShouldBe("CG0619");
        e.MayPass.ShouldBeTrue();
    }

    [Theory]
    [InlineData("sslmode=require", "t")]
    [InlineData("sslmode=prefer", "t")]
    [InlineData("sslmode=verify-full&sslrootcert={ca}", "t")]
    [InlineData("sslmode=require&sslrootcert={ca}", "t")]
    public async Task TLS_is_used_as_asked(string query, string ssl)
    {
        await using var connection = await new Database(
            server.Url("plain:secret@", query.Replace("{ca}", server.Authority, StringComparison.Ordinal))).ConnectAsync();
        await using var command = new NpgsqlCommand("SELECT ssl::text::char(1) FROM pg_stat_ssl WHERE pid = pg_backend_pid()", connection);

        (await command.ExecuteScalarAsync()).ShouldBe(ssl);
    }

    [Theory]
    [InlineData("sslmode=verify-full", "CG0622")]
    [InlineData("sslmode=verify-ca&sslrootcert={other}", "CG0622")]
    [InlineData("sslmode=require&sslrootcert={other}", "CG0622")]
    [InlineData("sslmode=verify-full&sslrootcert=/no/such/file", "CG0629")]
    public async Task A_certificate_that_is_not_trusted_is_a_problem(string query, string code)
    {
        var url = server.Url("plain:secret@", query.Replace("{other}", server.OtherAuthority, StringComparison.Ordinal));

        (await CodeOf(url)).ShouldBe(code);
    }

    [Theory]
    [InlineData("postgres://plain:secret@localhost:{0}/postgres?sslmode=require")]
    [InlineData("Host=localhost;Port={0};Username=plain;Password=secret;Database=postgres;SSL Mode=Require")]
    public async Task A_root_certificate_in_the_home_directory_is_verified_against_as_libpq_does(string text)
    {
        using var home = new Sandbox();
        var url = string.Format(null, text, server.Port);

        home.Write(".postgresql/root.crt", await File.ReadAllTextAsync(server.OtherAuthority));
        (await CodeOf(Parse())).ShouldBe("CG0622");

        home.Write(".postgresql/root.crt", await File.ReadAllTextAsync(server.Authority));
        await using var connection = await new Database(Parse()).ConnectAsync();

        DatabaseUrl Parse() => DatabaseUrl.Parse(url, environment: name => name == "HOME" ? home.Path : null);
    }

    [Fact]
    public async Task Channel_binding_that_is_required_holds_where_the_server_asks_for_no_password()
    {
        await using (await new Database(server.Url("plain:secret@", "sslmode=require&channel_binding=require")).ConnectAsync())
        {
        }

        (await CodeOf(server.Url("plain:secret@", $"host={server.SocketFolder}&channel_binding=require"))).ShouldBe("CG0644");
        await using var hostile = new HostileServer();
        (await CodeOf(DatabaseUrl.Parse($"{hostile.Url.Display}?sslmode=disable&channel_binding=require", environment: _ => null)))
            .ShouldBe("CG0644");
    }

    [Fact]
    public async Task A_password_file_that_others_can_read_is_passed_over_with_a_warning()
    {
        using var folder = new Sandbox();
        var file = folder.Write("pass", $"localhost:{server.Port}:*:plain:secret\n");
        var url = server.Url("plain@", $"sslmode=require&passfile={file}");

        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.GroupRead);
        url.Warning!.Code.ShouldBe("CG0642");
        (await CodeOf(url)).ShouldBe("CG0614");

        File.SetUnixFileMode(file, UnixFileMode.UserRead);
        url.Warning.ShouldBeNull();
        await using var connection = await new Database(server.Url("plain@", $"sslmode=require&passfile={file}")).ConnectAsync();
    }

    [Fact]
    public async Task A_source_of_passwords_is_asked_for_each_connection_and_says_itself_why_it_has_none()
    {
        var asked = 0;
        var url = server.Url("plain@", "sslmode=require").WithPasswordSource(_ => ++asked <= 2
            ? ValueTask.FromResult("secret")
            : throw new ProblemException("CG0000", "The token is not to be had"));

        await using var first = await new Database(url).ConnectAsync();
        await using var second = await new Database(url.WithDatabase("template1")).ConnectAsync();

        (await CodeOf(url)).ShouldBe("CG0000");
        server.Url("plain:secret@").WithPasswordSource(_ => throw new InvalidOperationException()).PasswordSource.ShouldBeNull();
    }

    [Fact]
    public async Task A_socket_has_to_belong_to_the_user_that_requirepeer_names()
    {
        await using var stat = ToolProcess.StartProcess("stat", ["-c", "%U", $"{server.SocketFolder}/.s.PGSQL.{server.Port}"], null, null,
            null);
        var owner = (await stat.ExitAsync()).Output.Trim();
        var url = $"host={server.SocketFolder}&requirepeer=";

        await using var connection = await new Database(server.Url("plain@", url + owner)).ConnectAsync();
        (await CodeOf(server.Url("plain@", url + (owner == "daemon" ? "nobody" : "daemon")))).ShouldBe("CG0641");
        (await CodeOf(server.Url("plain@", url + "no_such_user"))).ShouldBe("CG0641");
    }

    [Theory]
    [InlineData(new[] { "/var/run/postgresql", "/run/postgresql", "/tmp" }, true, "/var/run/postgresql")]
    [InlineData(new[] { "/run/postgresql", "/tmp" }, true, "/run/postgresql")]
    [InlineData(new[] { "/tmp" }, true, "/tmp")]
    public void A_socket_in_a_folder_for_everybody_is_taken_last_and_only_from_somebody_trusted(string[] there, bool trusted, string chosen)
    {
        SocketPeer.ChooseFolder(there.Contains, folder => there.Contains(folder) && trusted).ShouldBe(chosen);
        SocketPeer.ChooseFolder(there.Contains, _ => false).ShouldBe(
            there[0] != "/tmp" ? there[0] : Array.Find(["/var/run/postgresql", "/run/postgresql"], Directory.Exists) ?? "/tmp");
    }

    [Fact]
    public async Task A_certificate_for_another_host_name_is_not_trusted_by_verify_full()
    {
        var url =
            DatabaseUrl.Parse(
            $"postgres://plain:secret@127.0.0.1:{server.Port}/postgres?sslmode=verify-full&sslrootcert={server.Authority}",
            environment: _ => null);

        (await CodeOf(url)).ShouldBe("CG0622");
    }

    [Fact]
    public async Task TLS_from_a_server_that_has_none_is_a_problem()
    {
        await using var sandbox = new ServerSandbox();
        var url = await new LocalServer(sandbox.Options with { Loopback = true }).StartAsync();

        (await CodeOf(DatabaseUrl.Parse(url.Display + "&sslmode=require", environment: _ => null))).ShouldBe("CG0621");
    }

    [Fact]
    public async Task What_is_not_PostgreSQL_is_told()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var serving = ServeAsync();

        (await CodeOf(DatabaseUrl.Parse($"postgres://u@127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/d", environment: _ => null)))
            .ShouldBe("CG0623");
        listener.Stop();
        await serving;

        async Task ServeAsync()
        {
            try
            {
                while (true)
                {
                    using var client = await listener.AcceptTcpClientAsync();
                    await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes("HTTP/1.1 400 Bad Request\r\n\r\n"));
                }
            }
            catch (SocketException)
            {
                // The test is over.
            }
        }
    }

    [Fact]
    public async Task A_host_that_says_nothing_is_given_up()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var url = DatabaseUrl.Parse($"postgres://u@127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/d?connect_timeout=1",
            environment: _ => null);

        (await CodeOf(url)).ShouldBe("CG0612");
    }

    [Theory]
    [InlineData("postgres://u@no-such-host.invalid/d", "CG0611")]
    [InlineData("postgres://u@127.0.0.1:1/d", "CG0610")]
    [InlineData("postgres://u@127.0.0.1:1,127.0.0.1:2/d", "CG0610")]
    [InlineData("postgres://u@/d?host=/no/such/folder", "CG0610")]
    public async Task A_server_that_is_not_there_is_a_problem(string url, string code) =>
        (await CodeOf(DatabaseUrl.Parse(url, environment: _ => null))).ShouldBe(code);

    [Fact]
    public async Task Of_several_hosts_the_one_that_fits_is_taken()
    {
        var hosts = $"postgres://plain:secret@127.0.0.1:1,localhost:{server.Port}/postgres";
        await using var connection = await new Database(
            DatabaseUrl.Parse($"{hosts}?target_session_attrs=read-write", environment: _ => null)).ConnectAsync();
        connection.Port.ShouldBe(server.Port);

        (await CodeOf(DatabaseUrl.Parse($"postgres://plain:secret@localhost:{server.Port}/postgres?target_session_attrs=read-only",
            environment: _ => null))).ShouldBe("CG0628");
        (await CodeOf(DatabaseUrl.Parse($"{hosts}?target_session_attrs=standby", environment: _ => null))).ShouldBe("CG0628");
    }

    [Fact]
    public async Task A_cancelled_attempt_is_no_problem_but_a_cancellation()
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => new Database(server.Url("plain:secret@")).ConnectAsync(cancelled.Token));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_data_source_gives_its_password_and_its_authority_for_every_database_of_its_server(bool byCallback)
    {
        var builder = new NpgsqlDataSourceBuilder(
            $"Host=localhost;Port={server.Port};Username=plain;Database=postgres;SSL Mode=VerifyFull"
            + (byCallback ? "" : $";Root Certificate={server.Authority}"));
        builder.UsePasswordProvider(_ => "secret", (_, _) => ValueTask.FromResult("secret"));
        if (byCallback)
        {
            builder.UseSslClientAuthenticationOptionsCallback(options => options.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                CustomTrustStore = { X509CertificateLoader.LoadCertificateFromFile(server.Authority) },
                RevocationMode = X509RevocationMode.NoCheck,
            });
        }

        await using var source = builder.Build();
        var url = DatabaseUrl.Of(source);

        await using var connection = await new Database(url).ConnectAsync();
        await using var other = await new Database(url.WithDatabase("template1")).ConnectAsync();

        connection.Database.ShouldBe("postgres");
        other.Database.ShouldBe("template1");
    }

    private static async Task<string> CodeOf(DatabaseUrl url) => (await ProblemOf(url)).Code;

    private static async Task<Problem> ProblemOf(DatabaseUrl url) =>
        (await Should.ThrowAsync<ProblemException>(() => new Database(url).ConnectAsync())).Problems.ShouldHaveSingleItem();
}

/// <summary>A server on the loopback address with passwords, TLS, and roles and databases that are closed in one way or another.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class GuardedServer : IAsyncLifetime
{
    private readonly ServerSandbox _sandbox = new();

    public int Port { get; private set; }

    public string SocketFolder { get; private set; } = "";

    /// <summary>The authority that signed the server's certificate, which is for the name localhost alone.</summary>
    public string Authority => Path.Combine(_sandbox.Folder, "ca.crt");

    public string OtherAuthority => Path.Combine(_sandbox.Folder, "other.crt");

    internal DatabaseUrl Url(string user, string query = "") =>
        DatabaseUrl.Parse($"postgres://{user}localhost:{Port}/postgres?{query}", environment: _ => null);

    public async Task InitializeAsync()
    {
        var local = new LocalServer(_sandbox.Options with { Loopback = true });
        var url = await local.StartAsync();
        foreach (var sql in (string[])["CREATE ROLE plain LOGIN PASSWORD 'secret'",
            "CREATE ROLE limited LOGIN PASSWORD 'secret' CONNECTION LIMIT 0", "CREATE DATABASE closed",
            "REVOKE CONNECT ON DATABASE closed FROM PUBLIC"])
        {
            await using var connection = await new Database(url).ConnectAsync();
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync();
        }

        await local.StopAsync();
        WriteCertificates();
        SocketFolder = Path.Combine(_sandbox.Options.Folder, "run");
        await File.WriteAllTextAsync(
            Path.Combine(_sandbox.DataFolder, "pg_hba.conf"),
            "local all all trust\nhost all postgres all scram-sha-256\nhostssl all all all scram-sha-256\n");
        await File.AppendAllTextAsync(Path.Combine(_sandbox.DataFolder, "chatgenius-db.conf"), "ssl = on\n");
        await File.AppendAllTextAsync(
            Path.Combine(_sandbox.DataFolder, "postgresql.conf"),
                $"unix_socket_directories = '{SocketFolder}'\nlisten_addresses = 'localhost'\n");
        await local.StartAsync();
        Port = local.Status().Url!.Port;
    }

    public async Task DisposeAsync() => await _sandbox.DisposeAsync();

    private void WriteCertificates()
    {
        using var authority = NewAuthority("ca");
        using var other = NewAuthority("other");
        File.WriteAllText(Authority, authority.ExportCertificatePem());
        File.WriteAllText(OtherAuthority, other.ExportCertificatePem());
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(authority, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1), [1, 2, 3]);
        var keyFile = Path.Combine(_sandbox.DataFolder, "server.key");
        File.WriteAllText(Path.Combine(_sandbox.DataFolder, "server.crt"), certificate.ExportCertificatePem());
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem());

        // A key that root owns may be readable to its group, a key that the server's user owns to nobody else.
        File.SetUnixFileMode(keyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        ServerAccount.ChooseAsync(CancellationToken.None).GetAwaiter().GetResult().Own(_sandbox.DataFolder);
    }

    private static X509Certificate2 NewAuthority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-2), DateTimeOffset.UtcNow.AddDays(2));
    }
}
