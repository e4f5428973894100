namespace ChatGenius.Tests.Connections;

public class LibpqEnvironmentTests
{
    [Fact]
    public void Every_parameter_that_libpq_knows_is_handed_on()
    {
        var environment =
            Of("postgres://u:p%20w@h1:1,h2/a=b?sslmode=verify-ca&sslrootcert=ca.pem&sslcert=me.pem&sslkey=me.key&sslnegotiation=direct"
            + "&options=-c%20a.b%3D1&connect_timeout=7&target_session_attrs=read-write&channel_binding=require&require_auth=scram-sha-256"
            + "&load_balance_hosts=random&gssencmode=prefer&application_name=mine");

        environment.OrderBy(v => v.Key, StringComparer.Ordinal).Select(v => $"{v.Key}={v.Value}").ShouldBe(
        [
            "PGAPPNAME=mine", "PGCHANNELBINDING=require", "PGCONNECT_TIMEOUT=7", "PGDATABASE=a=b", "PGGSSENCMODE=prefer", "PGHOST=h1,h2",
            "PGKRBSRVNAME=postgres",
            "PGLOADBALANCEHOSTS=random", "PGOPTIONS=-c a.b=1", "PGPASSWORD=p w", "PGPORT=1,5432", "PGREQUIREAUTH=scram-sha-256",
            "PGSSLCERT=me.pem",
            "PGSSLKEY=me.key", "PGSSLMODE=verify-ca", "PGSSLNEGOTIATION=direct", "PGSSLROOTCERT=ca.pem", "PGTARGETSESSIONATTRS=read-write",
            "PGUSER=u",
        ]);
    }

    [Theory]
    [InlineData("postgres://u@[::1]:5433/d", "::1", "5433")]
    [InlineData("postgres://u@/d?host=/run/a b&port=5433", "/run/a b", "5433")]
    [InlineData("Host=h1:1,h2:2;Username=u;Database=d", "h1,h2", "1,2")]
    public void Hosts_and_ports_are_lists_of_the_same_length(string url, string hosts, string ports)
    {
        var environment = Of(url);

        (environment["PGHOST"], environment["PGPORT"]).ShouldBe((hosts, ports));
        environment.Keys.ShouldNotContain("PGPASSWORD");
        environment.Keys.ShouldNotContain("PGAPPNAME");
    }

    [Fact]
    public void The_system_s_authorities_verify_there_as_they_do_here() => Of("postgres://u@h/d?sslrootcert=system")["PGSSLMODE"]
        .ShouldBe("verify-full");

    [Fact]
    public void A_key_s_password_can_t_be_handed_on()
    {
        var e = Should.Throw<ProblemException>(() => Of("postgres://u@h/d?sslkey=k&sslpassword=s3cret"));

        e.Problems.ShouldHaveSingleItem().Code.ShouldBe("CG1306");
        e.Message.ShouldNotContain("s3cret");
    }

    [Fact]
    public void An_unknown_way_to_authenticate_is_a_problem() =>
        Should.Throw<ProblemException>(() => Of("postgres://u@h/d?require_auth=magic")).Problems.ShouldHaveSingleItem()
            .Code.ShouldBe("CG0603");

    private static IReadOnlyDictionary<string, string> Of(string url) => DatabaseUrl.Parse(url, environment: _ => null).LibpqEnvironment();
}
