using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace ChatGenius.Tests.Connections;

/// <summary>What speaks PostgreSQL's protocol, lets everybody in, and means no good.</summary>
internal sealed class HostileServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<Stream, CancellationToken, Task> _afterLogin;
    private readonly Func<Stream, CancellationToken, Task> _atQuery;
    private readonly Task _serving;

    /// <param name="afterLogin">What it sends when it has let somebody in; null to be ready for queries.</param>
    /// <param name="atQuery">What it sends when something is asked.</param>
    public HostileServer(Func<Stream, CancellationToken, Task>? afterLogin = null, Func<Stream, CancellationToken, Task>? atQuery = null)
    {
        _afterLogin = afterLogin ?? ((_, _) => Task.CompletedTask);
        _atQuery = atQuery ?? ((_, _) => Task.CompletedTask);
        _listener.Start();
        _serving = ServeAsync();
    }

    public DatabaseUrl Url => Within(60);

    /// <summary>Whether it asks for a password, in clear, and takes any.</summary>
    public bool AsksForPassword { get; init; }

    /// <summary>What it was given.</summary>
    public ConcurrentBag<string> Passwords { get; } = [];

    /// <summary>Its URL, with a time to connect in seconds.</summary>
    public DatabaseUrl Within(int seconds) => DatabaseUrl.Parse(
        $"postgres://u@127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/d?connect_timeout={seconds}&sslmode=disable",
            environment: _ => null);

    /// <summary>The beginning of a message that would be two gigabytes long.</summary>
    public static Task AnnounceTwoGigabytesAsync(Stream stream, CancellationToken token) => SendAsync(stream, 'T', int.MaxValue, [], token);

    /// <summary>Notices without end.</summary>
    public static async Task NoticeForEverAsync(Stream stream, CancellationToken token)
    {
        while (true)
        {
            await SendAsync(stream, 'N', null, Encoding.UTF8.GetBytes("SNOTICE\0VNOTICE\0C00000\0Mstill here\0\0"), token);
        }
    }

    /// <summary>The connection's end.</summary>
    public static Task BreakOffAsync(Stream stream, CancellationToken token)
    {
        stream.Close();
        return Task.CompletedTask;
    }

    /// <summary>Nothing, while the connection stays open.</summary>
    public static Task SayNothingAsync(Stream stream, CancellationToken token) => Task.Delay(Timeout.InfiniteTimeSpan, token);

    /// <summary>An error with what a terminal obeys, which ends the session.</summary>
    public static async Task FailWithControlCharactersAsync(Stream stream, CancellationToken token)
    {
        await FailAndStayAsync(stream, token);
        stream.Close();
    }

    /// <summary>The same, and the connection stays open, which PostgreSQL's never does.</summary>
    public static Task FailAndStayAsync(Stream stream, CancellationToken token) => SendAsync(
        stream, 'E', null, Encoding.UTF8.GetBytes("SFATAL\0VFATAL\0C28000\0M\e]0;owned\a\e[31mred\r::error::x\0\0"), token);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _serving;
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        var clients = new List<Task>();
        try
        {
            while (true)
            {
                clients.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException || _stop.IsCancellationRequested)
        {
            await Task.WhenAll(clients);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var _ = client;
        var stream = client.GetStream();
        try
        {
            var length = new byte[4];
            await stream.ReadExactlyAsync(length, _stop.Token);
            await stream.ReadExactlyAsync(new byte[BinaryPrimitives.ReadInt32BigEndian(length) - 4], _stop.Token);
            if (AsksForPassword)
            {
                await SendAsync(stream, 'R', null, [0, 0, 0, 3], _stop.Token);
                var header = new byte[5];
                await stream.ReadExactlyAsync(header, _stop.Token);
                var password = new byte[BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(1)) - 4];
                await stream.ReadExactlyAsync(password, _stop.Token);
                Passwords.Add(Encoding.UTF8.GetString(password).TrimEnd('\0'));
            }

            await SendAsync(stream, 'R', null, new byte[4], _stop.Token);
            await _afterLogin(stream, _stop.Token);
            foreach (var (name, value) in new[] { ("server_version", "15.1"), ("client_encoding", "UTF8"),
                ("standard_conforming_strings", "on") })
            {
                await SendAsync(stream, 'S', null, Encoding.UTF8.GetBytes($"{name}\0{value}\0"), _stop.Token);
            }

            await SendAsync(stream, 'K', null, new byte[8], _stop.Token);
            await SendAsync(stream, 'Z', null, "I"u8.ToArray(), _stop.Token);
            while (await stream.ReadAsync(new byte[64 * 1024], _stop.Token) > 0)
            {
                await _atQuery(stream, _stop.Token);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The client has gone, or the test is over.
        }
    }

    private static async Task SendAsync(Stream stream, char kind, int? length, byte[] content, CancellationToken token)
    {
        var message = new byte[5 + content.Length];
        message[0] = (byte)kind;
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(1), length ?? content.Length + 4);
        content.CopyTo(message, 5);
        await stream.WriteAsync(message, token);
    }
}
