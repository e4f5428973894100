namespace ChatGenius.Tests;

public class OpenSslTests
{
    [Fact]
    public void A_library_that_is_missing_is_told_from_one_that_is_there()
    {
        OpenSsl.CanLoad([null, "no.such.version"]).ShouldBeFalse();
        OpenSsl.CanLoad(["no.such.version", "3", "1.1"]).ShouldBe(OperatingSystem.IsLinux());
        Should.NotThrow(OpenSsl.Require);
    }
}
