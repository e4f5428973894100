using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace ChatGenius.Tests.Faults;

/// <summary>A network in between that can be slow or cut.</summary>
internal sealed class TcpProxy : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentBag<Socket> _sockets = [];
    private readonly int _target;
    private TaskCompletionSource _sound = Sounding();

    public TcpProxy(int target)
    {
        _target = target;
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
                var client = await _listener.AcceptTcpClientAsync();
                _ = ServeAsync(client);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        var server = new TcpClient();
        _sockets.Add(client.Client);
        _sockets.Add(server.Client);
        try
        {
            await server.ConnectAsync(IPAddress.Loopback, _target);
            (client.NoDelay, server.NoDelay) = (true, true);
            await Task.WhenAny(PumpAsync(client.GetStream(), server.GetStream()), PumpAsync(server.GetStream(), client.GetStream()));
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // One side is gone; so is the other now.
        }

        client.Close();
        server.Close();
    }

    private async Task PumpAsync(NetworkStream from, NetworkStream to)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (true)
            {
                var length = await from.ReadAsync(buffer);
                await _sound.Task;
                if (length == 0)
                {
                    return;
                }

                if (Delay > TimeSpan.Zero)
                {
                    await Task.Delay(Delay * Random.Shared.NextDouble());
                }

                await to.WriteAsync(buffer.AsMemory(0, length));
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            // One side is gone.
        }
    }
}
