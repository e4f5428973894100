namespace ChatGenius.Tool;

internal static class Program
{
    internal static int Main() => 0;
}
