using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace ChatGenius.Tests.Support;

/// <summary>
/// Stands between a client and the server, and counts how often each connection waits for an answer after it has started: its <c>Query</c>
/// and <c>Sync</c> messages. (PostgreSQL: Frontend/Backend Protocol, Message Formats.)
/// </summary>
internal sealed class CountingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly NpgsqlConnectionStringBuilder _server;
    private readonly byte[] _ignored;
    private readonly List<Task> _flows = [];
    private readonly Task _accepting;
    private readonly List<int[]> _counts = [];

    /// <param name="database">What lies behind it.</param>
    /// <param name="ignored">Round trips in which this text is sent don't count: the client repeats them by the clock.</param>
    public CountingProxy(TestDatabase database, ReadOnlySpan<byte> ignored)
    {
        _server = new NpgsqlConnectionStringBuilder(database.Url.ConnectionString);
        _ignored = ignored.ToArray();
        _listener.Start();
        var port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        ConnectionString = new NpgsqlConnectionStringBuilder(_server.ConnectionString)
        {
            Host = "127.0.0.1",
            Port = port,
            SslMode = SslMode.Disable,
        }.ConnectionString;
        _accepting = AcceptAsync();
    }

    /// <summary>What a client connects with.</summary>
    public string ConnectionString { get; }

    /// <summary>The round trips of each connection since the last call, in the order in which they were opened.</summary>
    public int[] Take()
    {
        lock (_counts)
        {
            var taken = _counts.Select(count => count[0]).ToArray();
            _counts.Clear();
            return taken;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        await Task.WhenAll(_flows);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptSocketAsync(_stop.Token);
                var count = new int[1];
                lock (_counts)
                {
                    _counts.Add(count);
                }

                _flows.Add(ServeAsync(client, count));
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(Socket client, int[] count)
    {
        var isFile = Path.IsPathRooted(_server.Host);
        using var server = isFile
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp);
        EndPoint place = isFile
            ? new UnixDomainSocketEndPoint(Path.Combine(_server.Host!, $".s.PGSQL.{_server.Port}"))
            : new DnsEndPoint(_server.Host!, _server.Port);
        using (client)
        {
            client.NoDelay = true;
            await server.ConnectAsync(place, _stop.Token);
            var frames = new FrameCounter(count, _ignored);
            await Task.WhenAny(PumpAsync(client, server, frames.Feed), PumpAsync(server, client, static _ => { }));
        }
    }

    private async Task PumpAsync(Socket from, Socket to, Action<ReadOnlyMemory<byte>> look)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, _stop.Token) is > 0 and var length)
            {
                look(buffer.AsMemory(0, length));
                for (var sent = 0; sent < length;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, length - sent), _stop.Token);
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // One side has closed the connection; the other one's pump ends with it.
        }
    }

    /// <summary>Cuts what the client sends into messages.</summary>
    private sealed class FrameCounter(int[] count, byte[] ignored)
    {
        private readonly List<byte> _pending = [];
        private bool _started;
        private bool _ignore;

        public void Feed(ReadOnlyMemory<byte> bytes)
        {
            _pending.AddRange(bytes.Span);

            // The message that starts the session has no letter in front of its length.
            while (_pending.Count >= (_started ? 5 : 4))
            {
                var text = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_pending);
                var letter = _started ? text[0] : (byte)0;
                var length = BinaryPrimitives.ReadInt32BigEndian(text[(_started ? 1 : 0)..]) + (_started ? 1 : 0);
                if (text.Length < length)
                {
                    return;
                }

                _started = true;
                _ignore |= text[..length].IndexOf(ignored) >= 0;
                if (letter is (byte)'Q' or (byte)'S')
                {
                    count[0] += _ignore ? 0 : 1;
                    _ignore = false;
                }

                _pending.RemoveRange(0, length);
            }
        }
    }
}
