using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using ChatGenius.Tests.Faults;

namespace ChatGenius.Tests.Support;

/// <summary>
/// Stands between a client and the server, and counts how often each connection waits for an answer after it has started: its <c>Query</c>
/// and <c>Sync</c> messages. (PostgreSQL: Frontend/Backend Protocol, Message Formats.)
/// </summary>
internal sealed class CountingProxy : IDisposable
{
    private readonly List<int[]> _counts = [];
    private readonly TcpProxy _proxy;

    /// <param name="database">What lies behind it.</param>
    /// <param name="ignored">Round trips in which this text is sent don't count: the client repeats them by the clock.</param>
    public CountingProxy(TestDatabase database, ReadOnlySpan<byte> ignored)
    {
        var server = new NpgsqlConnectionStringBuilder(database.Url.ConnectionString);
        EndPoint target = Path.IsPathRooted(server.Host)
            ? new UnixDomainSocketEndPoint(Path.Combine(server.Host!, $".s.PGSQL.{server.Port}"))
            : new IPEndPoint(Dns.GetHostAddresses(server.Host!)[0], server.Port);
        var text = ignored.ToArray();
        _proxy = new TcpProxy(target, () =>
        {
            var count = new int[1];
            lock (_counts)
            {
                _counts.Add(count);
            }

            return new FrameCounter(count, text).Feed;
        });
        (server.Host, server.Port, server.SslMode) = ("127.0.0.1", _proxy.Port, SslMode.Disable);
        ConnectionString = server.ConnectionString;
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

    public void Dispose() => _proxy.Dispose();

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
