using System.Net.Sockets;
using System.Text;

namespace Architekt.Agent.Tests.Executables;

/// <summary>The host's end of a port, as a socket the executables connect to.</summary>
internal sealed class HostSocket : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("architekt-host-").FullName;
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    internal HostSocket()
    {
        _listener.Bind(new UnixDomainSocketEndPoint(Path.Combine(_folder, "port")));
        _listener.Listen();
    }

    internal string Port => "unix:" + Path.Combine(_folder, "port");

    internal async Task<HostLines> AcceptAsync(CancellationToken cancellationToken) =>
        new(await _listener.AcceptAsync(cancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(60), cancellationToken));

    public void Dispose()
    {
        _listener.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    internal sealed class HostLines(Socket socket) : IDisposable
    {
        private readonly StreamReader _reader = new(new NetworkStream(socket, ownsSocket: true), Encoding.UTF8);

        internal async Task<string?> ReadAsync(CancellationToken cancellationToken) =>
            await _reader.ReadLineAsync(cancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(60), cancellationToken);

        internal async Task<string?> AskAsync(string line, CancellationToken cancellationToken)
        {
            await _reader.BaseStream.WriteAsync(Encoding.UTF8.GetBytes(line + "\n"), cancellationToken);
            return await ReadAsync(cancellationToken);
        }

        public void Dispose() => _reader.Dispose();
    }
}
