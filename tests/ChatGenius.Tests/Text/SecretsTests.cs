using ChatGenius.Db.Text;

namespace ChatGenius.Tests.Text;

public class SecretsTests
{
    [Theory]
    [InlineData("postgres://app:S3cret@h:5432/db", "postgres://***@h:5432/db")]
    [InlineData("postgre://app:S3cret@h/x", "postgre://***@h/x")]
    [InlineData("postgres:/app:S3cret@h/db", "postgres:/***@h/db")]
    [InlineData("postgres:app:S3cret@h/db", "postgres:***@h/db")]
    [InlineData("postgres://app:pa ss S3cret@h/db", "postgres://***@h/db")]
    [InlineData("postgres://app:pa@S3cret@h/db", "postgres://***@h/db")]
    [InlineData("postgres://app:pa\"S3cret@h/db", "postgres://***@h/db")]
    [InlineData("postgresql+asyncpg://dev:S3cret@h/db", "postgresql+asyncpg://***@h/db")]
    [InlineData("jdbc:postgresql://h/db?user=u&password=S3cret", "jdbc:postgresql://h/db?user=u&password=***")]
    [InlineData("app:S3cret@127.0.0.1:1/db", "app:***@127.0.0.1:1/db")]
    [InlineData("mysql://dev:S3cret@h/db", "mysql://***@h/db")]
    [InlineData("Host=h;Passwrod=S3cret", "Host=h;Passwrod=***")]
    [InlineData("Host=h;PWD='S3 cret';Port=1", "Host=h;PWD=***;Port=1")]
    [InlineData("postgres://h/db?pasword=S3cret&port=1", "postgres://h/db?pasword=***&port=1")]
    [InlineData("PGPASSWORD=S3cret psql", "PGPASSWORD=*** psql")]
    [InlineData("{\"password\": \"S3cret\", \"a\": 1}", "{\"password\": ***, \"a\": 1}")]
    [InlineData("ALTER ROLE r ENCRYPTED PASSWORD 'S3''cret' LOGIN", "ALTER ROLE r ENCRYPTED PASSWORD '***' LOGIN")]
    [InlineData("CREATE ROLE r PASSWORD 'S3cret\nmore", "CREATE ROLE r PASSWORD '***'")]
    [InlineData("CREATE ROLE r password $x$S3cret$x$;", "CREATE ROLE r password '***';")]
    [InlineData("ToKen=S3cret, my_secret=S3cret, tok=en pw=S3cret", "ToKen=***, my_secret=***, tok=en pw=***")]
    [InlineData("to\u212Aen=S3cret", "to\u212Aen=***")]
    [InlineData("OPTIONS (user 'u', password E'S3cret')", "OPTIONS (user 'u', password '***')")]
    [InlineData("CREATE SUBSCRIPTION s CONNECTION 'host=h password=S3cret'", "CREATE SUBSCRIPTION s CONNECTION 'host=h password=***'")]
    public void What_looks_like_a_password_is_hidden(string text, string shown) => Secrets.Hide(text).ShouldBe(shown);

    [Theory]
    [InlineData("postgres://app@h:5432/db")]
    [InlineData("postgres://app@h1:5432,h2:5433/db?sslmode=require")]
    [InlineData("UPDATE users SET password_hash = crypt(x, y), token = gen_random_uuid() WHERE id = 1")]
    [InlineData("The server refuses the password of role \"app\"")]
    [InlineData("https://www.postgresql.org/docs/current/sql-altertable.html")]
    [InlineData("0001_a.sql:3:5: column \"a\" does not exist")]
    [InlineData("ask me@example.com")]
    public void What_is_no_password_is_shown(string text) => Secrets.Hide(text).ShouldBe(text);

    [Theory]
    [InlineData("Host=h;Password=S3c;retPw", "\"retPw\" in \"Host=h\"", "\"***\" in \"Host=h\"")]
    [InlineData("postgres://app@srv:S3cret@srv.azure.com:5432/db", "\"S3cret@srv.azure.com:5432\" is no value for the port",
        "\"***@***:***\" is no value for the port")]
    [InlineData("postgres://h/db?sslmodee=x", "There is no parameter \"sslmodee\"", "There is no parameter \"sslmodee\"")]
    public void Of_a_connection_string_that_is_not_understood_only_names_are_shown(string notUnderstood, string text, string shown) =>
        Secrets.Hide(text, notUnderstood).ShouldBe(shown);
}
