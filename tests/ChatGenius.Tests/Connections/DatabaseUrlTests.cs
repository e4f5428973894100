using ChatGenius.Db.Safety;

namespace ChatGenius.Tests.Connections;

public class DatabaseUrlTests
{
    [Theory]
    [InlineData("postgres://u:p@h:5433/d", "h", 5433, "u", "d")]
    [InlineData("postgresql://u@h/d", "h", 5432, "u", "d")]
    [InlineData("POSTGRES://u@h", "h", 5432, "u", "u")]
    [InlineData("postgres://%C3%BC:%40%2F%3A@h/a%20b%22%3F", "h", 5432, "ü", "a b\"?")]
    [InlineData("postgres://u@[::1]:5433/d", "::1", 5433, "u", "d")]
    [InlineData("postgres://u@h1:1,h2:2/d", "h1", 1, "u", "d")]
    [InlineData("postgres://u@/d?host=/run/postgresql&port=5433", "/run/postgresql", 5433, "u", "d")]
    [InlineData("postgres://u@%2Frun%2Fpostgresql/d", "/run/postgresql", 5432, "u", "d")]
    [InlineData("postgres://h/d?user=u&password=p", "h", 5432, "u", "d")]
    [InlineData("postgres://u@h/d?dbname=other", "h", 5432, "u", "other")]
    [InlineData("host=h port=5433 user=u dbname='a b'", "h", 5433, "u", "a b")]
    [InlineData("host=h user=u password='it\\'s' dbname=d", "h", 5432, "u", "d")]
    [InlineData("Host=h;Port=5433;Username=u;Database=a b", "h", 5433, "u", "a b")]
    [InlineData("Server=h1:1,h2:2;User Id=u;Database=d", "h1", 1, "u", "d")]
    [InlineData("Host=[::1]:5433;Username=u;Database=d", "::1", 5433, "u", "d")]
    [InlineData("Host=::1;Username=u;Database=d", "::1", 5432, "u", "d")]
    public void A_connection_string_of_any_kind_is_read(string text, string host, int port, string user, string database)
    {
        var url = Parse(text);

        (url.Host, url.Port, url.UserName, url.DatabaseName).ShouldBe((host, port, user, database));
    }

    [Theory]
    [InlineData("postgres://u:s3cret@h:5433/d", "postgres://u@h:5433/d")]
    [InlineData("postgres://u:s3cret@h1:1,h2/d", "postgres://u@h1:1,h2/d")]
    [InlineData("postgres://u:s3cret@[::1]:5433/d", "postgres://u@[::1]:5433/d")]
    [InlineData("postgres://u:s3cret@h/a%20%22b%22?sslpassword=s3cret&options=-c%20my.key%3Ds3cret", "postgres://u@h/a%20%22b%22")]
    [InlineData("postgres://u:s3cret@/d?host=/run/a b&port=5433", "postgres://u@/d?host=/run/a%20b&port=5433")]
    [InlineData("Host=h;Username=u;Password=s3cret;Database=d", "postgres://u@h/d")]
    public void What_is_displayed_has_no_password_and_is_a_URL_again(string text, string display)
    {
        var url = Parse(text);

        url.Display.ShouldBe(display);
        url.ToString().ShouldBe(display);
        Parse(display).Display.ShouldBe(display);
    }

    [Fact]
    public void Parameters_become_Npgsqls()
    {
        var builder = Builder(
            "postgres://u:p%25%40@h/d?sslmode=verify-full&sslrootcert=/ca.crt&sslcert=/c.crt&sslkey=/c.key&sslpassword=x"
            + "&application_name=me"
            + "&connect_timeout=7&search_path=a,b&options=-c%20statement_timeout%3D1s&target_session_attrs=read-write"
            + "&keepalives_idle=30&passfile=/pw&TimeZone=UTC");

        builder.ShouldSatisfyAllConditions(
            b => b.Password.ShouldBe("p%@"), b => b.SslMode.ShouldBe(SslMode.VerifyFull), b => b.RootCertificate.ShouldBe("/ca.crt"),
            b => b.SslCertificate.ShouldBe("/c.crt"), b => b.SslKey.ShouldBe("/c.key"), b => b.SslPassword.ShouldBe("x"),
            b => b.ApplicationName.ShouldBe("me"), b => b.Timeout.ShouldBe(7), b => b.SearchPath.ShouldBe("a,b"),
            b => b.Options.ShouldBe("-c statement_timeout=1s"), b => b.TargetSessionAttributes.ShouldBe("read-write"),
            b => b.TcpKeepAliveTime.ShouldBe(30), b => b.Passfile.ShouldBe("/pw"), b => b.Timezone.ShouldBe("UTC"));
    }

    [Theory]
    [InlineData("sslmode=disable", SslMode.Disable)]
    [InlineData("sslmode=allow", SslMode.Allow)]
    [InlineData("sslmode=prefer", SslMode.Prefer)]
    [InlineData("sslmode=require", SslMode.Require)]
    [InlineData("sslmode=require&sslrootcert=/ca.crt", SslMode.VerifyCA)]
    [InlineData("sslmode=verify-ca", SslMode.VerifyCA)]
    [InlineData("sslrootcert=system", SslMode.VerifyFull)]
    [InlineData("ssl=true", SslMode.Require)]
    public void The_SSL_mode_means_what_it_means_to_libpq(string query, SslMode mode) =>
        Builder($"postgres://u@h/d?{query}").SslMode.ShouldBe(mode);

    [Theory]
    [InlineData("postgres://u@h/d?sslmoed=require", "CG0602", 18, 7, "Did you mean sslmode?")]
    [InlineData("postgres://u:s3cret@h/d?sslmoed=require", "CG0602", 22, 7, "Did you mean sslmode?")]
    [InlineData("postgres://u@h/d?statement_timeout=5", "CG0602", 18, 17, "options")]
    [InlineData("postgres://u@h/d?sslmode=no", "CG0603", 18, 7, "verify-full")]
    [InlineData("postgres://u@h/d?connect_timeout=soon", "CG0603", 18, 15, "whole number")]
    [InlineData("postgres://u@h/d?client_encoding=LATIN1", "CG0603", 18, 15, "UTF8")]
    [InlineData("postgres://u@h/d?schema=app", "CG0604", 18, 6, "search_path")]
    [InlineData("postgres://u@h/d?service=prod", "CG0645", 18, 7, "PGSERVICEFILE")]
    [InlineData("postgres://u@h:0/d", "CG0603", 16, 1, "65535")]
    [InlineData("postgres://u@h:x/d", "CG0603", 16, 1, "65535")]
    [InlineData("postgres://u@h1,h2,h3/d?port=1,2", "CG0603", 25, 4, "as many")]
    [InlineData("postgres://u@[::1/d", "CG0601", 14, 1, "[::1]")]
    [InlineData("postgres://u@h/d%zz", "CG0601", 17, 1, "%25")]
    [InlineData("postgres://u@h/d?sslmode", "CG0601", 18, 7, "name=value")]
    [InlineData("not a connection string", "CG0601", 1, 23, "postgres://")]
    [InlineData("", "CG0601", 1, 1, "postgres://")]
    [InlineData("mysql://u@h/d", "CG0601", 1, 13, "postgres://")]
    [InlineData("Host=h;Passwort=s3cret", "CG0601", 8, 8, "postgres://")]
    public void A_mistake_is_a_problem_that_points_at_it(string text, string code, int column, int width, string advice)
    {
        var problem = ProblemOf(text);

        (problem.Code, problem.Where!.Path, problem.Where.Column, problem.Where.Width)
            .ShouldBe((code, "--database", column, width), problem.Where.LineText);
        problem.Advice!.ShouldContain(advice);
    }

    [Theory]
    [InlineData("postgres://u:s3cret@h/d?x=1")]
    [InlineData("postgres://u:s3@cret@h/d?x=1")]
    [InlineData("postgres://u:s3/cret@h/d?x=1")]
    [InlineData("postgres://u:s3?cret@h/d?x=1")]
    [InlineData("postgres://u:s3#cret@h/d?x=1")]
    [InlineData("postgres://u:s3/cr?et@h/d?x=1")]
    [InlineData("postgres://u:s3%cret@h/d?x=1")]
    [InlineData("postgres://u@h/d?password=s3cret&x=1")]
    [InlineData("host=h password=s3cret x=1")]
    [InlineData("host=h password='s3 cret' x=1")]
    [InlineData("host=h password=s3 cret")]
    [InlineData("host=h password='s3cret")]
    [InlineData("Host=h;Password=s3cret;x=1")]
    [InlineData("Host=h;Password='s3;cret';x=1")]
    [InlineData("Host=h;Pwd=\"s3;cret;x=1")]
    public void No_complaint_shows_a_password(string text)
    {
        var problem = ProblemOf(text);

        $"{problem.Message} {problem.Where!.LineText} {problem.Advice}".ShouldNotContain("cret");
    }

    [Fact]
    public void The_environment_stands_in_for_what_the_string_leaves_out()
    {
        var environment = new Dictionary<string, string> { ["PGPASSWORD"] = "p", ["PGUSER"] = "other", ["PGSSLMODE"] = "require",
            ["PGPORT"] = "5433" };
        var url = DatabaseUrl.Parse("postgres://u@h/d", "--database", v => environment.GetValueOrDefault(v));

        var builder = new NpgsqlConnectionStringBuilder(url.ConnectionString);
        (url.UserName, url.Port, builder.Password, builder.SslMode).ShouldBe(("u", 5433, "p", SslMode.Require));
    }

    [Fact]
    public void The_environment_alone_names_a_database()
    {
        DatabaseUrl.FromEnvironment(v => v == "PGHOST" ? "h" : v == "PGDATABASE" ? "d" : null)!.Host.ShouldBe("h");
        DatabaseUrl.FromEnvironment(v => v is "PGPASSWORD" or "PGSSLMODE" ? "x" : null).ShouldBeNull();
        Should.Throw<ProblemException>(() => DatabaseUrl.FromEnvironment(v => v == "PGSERVICE" ? "prod"
            : null)).Problems[0].Where!.Path.ShouldBe("PGSERVICE");
    }

    [Theory]
    [InlineData("postgres:///?service=prod", "")]
    [InlineData("service=prod", "")]
    [InlineData("postgres:///", "PGSERVICE")]
    public void A_service_of_libpq_comes_after_the_string_and_before_the_environment(string text, string variable)
    {
        using var home = new Sandbox();
        home.Write(".pg_service.conf",
            "# ours\n[other]\nhost=wrong\n\n[prod]\nhost=db.example\nport=6000\n"
            + "user=app\ndbname=chat\npassword=s3cret\n[last]\nhost=wrong\n");
        string? Environment(string name) => name == "HOME" ? home.Path : name == variable ? "prod" : name is "PGUSER" or "PGAPPNAME" ? "env"
            : null;

        var url = DatabaseUrl.Parse(text, environment: Environment);

        (url.Host, url.Port, url.UserName, url.DatabaseName).ShouldBe(("db.example", 6000, "app", "chat"));
        (Builder(url).Password, Builder(url).ApplicationName).ShouldBe(("s3cret", "env"));
        DatabaseUrl.Parse("postgres://me@here/?service=prod", environment: Environment).Display.ShouldBe("postgres://me@here:6000/chat");
    }

    [Theory]
    [InlineData("[prod]\nhost=h\nsslmod=require\n", "CG0602", 3)]
    [InlineData("[prod]\n\nservice=other\n", "CG0603", 3)]
    [InlineData("[prod]\npassword s3cret\n", "CG0603", 2)]
    [InlineData("[prod]\nport=s3cret\npassword=s3cret\n", "CG0603", 2)]
    public void A_mistake_in_a_service_file_is_a_problem_with_its_line(string file, string code, int line)
    {
        using var home = new Sandbox();
        var path = home.Write("services", file);

        var problem = Should.Throw<ProblemException>(() =>
            DatabaseUrl.Parse("service=prod", environment: name => name == "PGSERVICEFILE" ? path : null)).Problems[0];

        (problem.Code, problem.Where!.Path, problem.Where.Line).ShouldBe((code, path, line));
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("it's \"quoted\"; really")]
    [InlineData("Ünïcode 😀")]
    [InlineData("UPPER")]
    [InlineData("a=b;c")]
    [InlineData(" ")]
    public void Any_name_can_be_a_databases(string name)
    {
        var url = Parse("postgres://u:p@h1:1,h2:2/d?sslmode=require").WithDatabase(name);

        url.DatabaseName.ShouldBe(name);
        Builder(url).ShouldSatisfyAllConditions(b => b.Database.ShouldBe(name), b => b.Host.ShouldBe("h1:1,h2:2"), b =>
            b.Password.ShouldBe("p"));
        Parse(url.Display).DatabaseName.ShouldBe(name);
    }

    [Fact]
    public void What_the_work_needs_is_set_whatever_the_string_says()
    {
        Builder("Host=h;Username=u;Pooling=true;Command Timeout=1;Include Error Detail=false").ShouldSatisfyAllConditions(
            b => b.Pooling.ShouldBeFalse(), b => b.CommandTimeout.ShouldBe(0), b => b.IncludeErrorDetail.ShouldBeTrue(),
            b => b.IncludeFailedBatchedCommand.ShouldBeTrue(), b => b.ApplicationName.ShouldBe("chatgenius-db"), b =>
                b.Options.ShouldBeNull());
    }

    [Theory]
    [InlineData("postgres://u@h/d", GssEncryptionMode.Disable, true, 60)]
    [InlineData("postgres://u@h/d?gssencmode=prefer", GssEncryptionMode.Prefer, true, 60)]
    [InlineData("Host=h;GSS Encryption Mode=Require", GssEncryptionMode.Require, true, 60)]
    [InlineData("postgres://u@h/d?keepalives=0", GssEncryptionMode.Disable, false, 0)]
    [InlineData("Host=h;TCP Keepalive Time=7", GssEncryptionMode.Disable, false, 7)]
    [InlineData("postgres://u@/d?host=/run/postgresql", GssEncryptionMode.Disable, false, 0)]
    [InlineData("postgres://u@/d?host=/run/postgresql&keepalives_idle=7", GssEncryptionMode.Disable, false, 0)]
    public void What_the_string_leaves_out_has_a_default_of_ours(string text, GssEncryptionMode gss, bool keepAlive, int seconds)
    {
        Builder(text).ShouldSatisfyAllConditions(
            b => b.GssEncryptionMode.ShouldBe(gss), b => b.TcpKeepAlive.ShouldBe(keepAlive), b => b.TcpKeepAliveTime.ShouldBe(seconds));
    }

    [Theory]
    [InlineData("Host=h", SslMode.Require)]
    [InlineData("Host=h;SSL Mode=Prefer", SslMode.Prefer)]
    public void PGSSLMODE_counts_where_a_connection_string_says_nothing(string text, SslMode mode) =>
        Builder(DatabaseUrl.Parse(text, environment: v => v == "PGSSLMODE" ? "require" : null)).SslMode.ShouldBe(mode);

    private static DatabaseUrl Parse(string text) => DatabaseUrl.Parse(text, environment: _ => null);

    private static Problem ProblemOf(string text) => Should.Throw<ProblemException>(() => Parse(text)).Problems[0];

    private static NpgsqlConnectionStringBuilder Builder(string text) => Builder(Parse(text));

    private static NpgsqlConnectionStringBuilder Builder(DatabaseUrl url) => new(url.ConnectionString);
}
