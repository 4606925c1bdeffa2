namespace Architekt.Fabric.Database;

/// <summary>Where a private Postgres keeps its things and where it listens.</summary>
public sealed record EmbeddedPostgresOptions
{
    /// <summary>
    /// Folder for data, log, password and socket; created when it is not there. If we are root, the server runs as user
    /// <c>postgres</c>, who must be allowed to pass through the folders above.
    /// </summary>
    public required string StateFolder { get; init; }

    /// <summary>
    /// IP address to listen on; <c>*</c> is all of them, null none: then there is only the socket. Whoever comes over TCP or the socket
    /// needs the password, which is sent as SCRAM.
    /// </summary>
    public string? Address { get; init; } = "127.0.0.1";

    /// <summary>TCP port, 1 to 65535; also names the socket.</summary>
    public int Port { get; init; } = 5432;

    /// <summary>How long starting may take, recovery after a crash included.</summary>
    public TimeSpan StartLimit { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Server settings (postgresql.conf) on top of ours.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    internal void Validate()
    {
        if (string.IsNullOrWhiteSpace(StateFolder))
            throw FabricException.Invalid("The private Postgres needs a state folder.");
        if (Port is < 1 or > 65535)
            throw FabricException.Invalid($"Port {Port} for the private Postgres is out of range: 1 to 65535.");
        if (Address is not (null or "*") && !System.Net.IPAddress.TryParse(Address, out _))
            throw FabricException.Invalid($"'{Address}' is no IP address for the private Postgres to listen on.");
    }
}
