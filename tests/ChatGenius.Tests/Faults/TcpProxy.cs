using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace ChatGenius.Tests.Faults;

/// <summary>A network in between that can be watched, slow or cut.</summary>
internal sealed class TcpProxy : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentBag<Socket> _sockets = [];
    private readonly EndPoint _target;
    private readonly Func<Action<ReadOnlyMemory<byte>>>? _watch;
    private TaskCompletionSource _sound = Sounding();

    public TcpProxy(int target)
        : this(new IPEndPoint(IPAddress.Loopback, target))
    {
    }

    /// <param name="target">What is at the other end.</param>
    /// <param name="watch">Called for each connection; what it gives sees all that the client sends.</param>
    public TcpProxy(EndPoint target, Func<Action<ReadOnlyMemory<byte>>>? watch = null)
    {
        (_target, _watch) = (target, watch);
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>How long each piece is held back, at most.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>From now on nothing comes through any more, and nobody is told: connections stay open, and new ones are taken.</summary>
    public void Silence() => _sound = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Resets every connection; new ones go through.</summary>
    public void Reset()
    {
        _sound.TrySetResult();
        while (_sockets.TryTake(out var socket))
        {
            try
            {
                // Closing without lingering sends RST instead of FIN.
                socket.LingerState = new LingerOption(true, 0);
            }
            catch (ObjectDisposedException)
            {
                // Its session has ended.
            }

            socket.Close();
        }
    }

    private static TaskCompletionSource Sounding()
    {
        var sound = new TaskCompletionSource();
        sound.SetResult();
        return sound;
    }

    public void Dispose()
    {
        _listener.Stop();
        Reset();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptSocketAsync());
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(Socket client)
    {
        var watch = _watch?.Invoke();
        var isTcp = _target is IPEndPoint;
        var server = isTcp
            ? new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true }
            : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        _sockets.Add(client);
        _sockets.Add(server);
        try
        {
            client.NoDelay = true;
            await server.ConnectAsync(_target);
            await Task.WhenAny(PumpAsync(client, server, watch), PumpAsync(server, client, null));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // One side is gone; so is the other now.
        }

        client.Close();
        server.Close();
    }

    private async Task PumpAsync(Socket from, Socket to, Action<ReadOnlyMemory<byte>>? watch)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (true)
            {
                var length = await from.ReceiveAsync(buffer);
                await _sound.Task;
                if (length == 0)
                {
                    return;
                }

                watch?.Invoke(buffer.AsMemory(0, length));
                if (Delay > TimeSpan.Zero)
                {
                    await Task.Delay(Delay * Random.Shared.NextDouble());
                }

                for (var sent = 0; sent < length;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, length - sent));
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // One side is gone.
        }
    }
}
