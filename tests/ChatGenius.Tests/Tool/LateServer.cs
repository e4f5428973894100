using System.Net;
using System.Net.Sockets;

namespace ChatGenius.Tests.Tool;

/// <summary>
/// A port at which nobody listens, or a server that is still starting; a moment after <see cref="Begin"/> it leads to a real one.
/// </summary>
internal sealed class LateServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly EndPoint _target;
    private volatile bool _hasBegun;

    public LateServer(NpgsqlConnectionStringBuilder server, bool refuses)
    {
        _target = Path.IsPathRooted(server.Host)
            ? new UnixDomainSocketEndPoint(Path.Combine(server.Host!, $".s.PGSQL.{server.Port}"))
            : new IPEndPoint(Dns.GetHostAddresses(server.Host!)[0], server.Port);
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _listener.Stop();
        if (refuses)
        {
            Listen();
        }
    }

    public int Port { get; }

    public void Begin() => _ = BeginAsync();

    public void Dispose() => _listener.Dispose();

    private async Task BeginAsync()
    {
        await Task.Delay(700);
        _hasBegun = true;
        if (!_listener.Server.IsBound)
        {
            Listen();
        }
    }

    private void Listen()
    {
        _listener.Server.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        _listener.Server.Bind(new IPEndPoint(IPAddress.Loopback, Port));
        _listener.Server.Listen();
        _ = AcceptAsync();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            _ = ServeAsync(await _listener.Server.AcceptAsync());
        }
    }

    private async Task ServeAsync(Socket client)
    {
        using var fromClient = new NetworkStream(client, ownsSocket: true);
        if (!_hasBegun)
        {
            await fromClient.ReadAtLeastAsync(new byte[4096], 8);
            var fields = Encoding.ASCII.GetBytes("SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0");
            await fromClient.WriteAsync((byte[])[(byte)'E', 0, 0, 0, (byte)(fields.Length + 4), .. fields]);
            return;
        }

        using var server = new Socket(_target.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        await server.ConnectAsync(_target);
        using var fromServer = new NetworkStream(server);
        await Task.WhenAny(fromClient.CopyToAsync(fromServer), fromServer.CopyToAsync(fromClient));
    }
}
