using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace Architekt.Fabric.Nbd;

/// <summary>
/// Address of an export: <c>nbd://host:port/export</c> or <c>nbd+unix:///export?socket=/path</c> (NetworkBlockDevice/nbd, doc/uri.md). The TLS schemes are not supported.
/// </summary>
/// <param name="EndPoint">Where the server listens.</param>
/// <param name="ExportName">Name of the export; empty for the server's default.</param>
public sealed record NbdUri(EndPoint EndPoint, string ExportName)
{
    /// <summary>Port without a port in the address, assigned by IANA.</summary>
    public const int DefaultPort = 10809;

    private const string TcpPrefix = "nbd://";
    private const string UnixPrefix = "nbd+unix://";
    private const string SocketKey = "socket=";

    /// <summary>Parses an address. <see cref="FormatException"/> says what is wrong with it.</summary>
    public static NbdUri Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Parse(text, out var problem) ?? throw new FormatException($"'{text}' is no NBD address: {problem}.");
    }

    /// <summary>Parses an address; false when it is none.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out NbdUri? uri)
    {
        uri = text is null ? null : Parse(text, out _);
        return uri is not null;
    }

    /// <summary>The address as text; <see cref="Parse(string)"/> gives the same back.</summary>
    public override string ToString()
    {
        var export = Uri.EscapeDataString(ExportName);
        return EndPoint switch
        {
            UnixDomainSocketEndPoint unix => $"{UnixPrefix}/{export}?{SocketKey}{EscapePath(unix.ToString())}",
            IPEndPoint ip => $"{TcpPrefix}{ip}/{export}",
            DnsEndPoint dns => $"{TcpPrefix}{dns.Host}:{dns.Port}/{export}",
            _ => throw new InvalidOperationException($"An NBD address has a TCP or unix socket, not {EndPoint}."),
        };
    }

    /// <summary>.NET shows the NUL of an abstract socket as '@'.</summary>
    private static string EscapePath(string path) =>
        Uri.EscapeDataString(path is ['@', ..] ? $"\0{path[1..]}" : path).Replace("%2F", "/", StringComparison.Ordinal);

    private static NbdUri? Parse(string text, out string problem)
    {
        if (text.Contains('#', StringComparison.Ordinal))
            return Fail("it has a fragment", out problem);
        if (text.StartsWith(TcpPrefix, StringComparison.OrdinalIgnoreCase))
            return ParseTcp(text[TcpPrefix.Length..], out problem);
        if (text.StartsWith(UnixPrefix, StringComparison.OrdinalIgnoreCase))
            return ParseUnix(text[UnixPrefix.Length..], out problem);
        return Fail("it starts neither with nbd:// nor with nbd+unix://", out problem);
    }

    private static NbdUri? ParseTcp(string rest, out string problem)
    {
        if (rest.Contains('?', StringComparison.Ordinal))
            return Fail("a TCP address takes no parameters", out problem);
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var authority = slash < 0 ? rest : rest[..slash];
        var export = slash < 0 ? "" : Uri.UnescapeDataString(rest[(slash + 1)..]);

        var host = authority;
        var port = DefaultPort;
        var colon = authority.LastIndexOf(':');
        if (colon > authority.LastIndexOf(']'))
        {
            host = authority[..colon];
            if (!ushort.TryParse(authority.AsSpan(colon + 1), System.Globalization.NumberStyles.None, null, out var parsed) || parsed == 0)
                return Fail("the port is not a number from 1 to 65535", out problem);
            port = parsed;
        }

        if (host.Length == 0)
            return Fail("it names no host", out problem);
        if (host.Contains('@', StringComparison.Ordinal))
            return Fail("user names need TLS, which is not supported", out problem);
        problem = "";
        if (IPAddress.TryParse(host, out var address))
            return new NbdUri(new IPEndPoint(address, port), export);
        return Uri.CheckHostName(host) == UriHostNameType.Dns
            ? new NbdUri(new DnsEndPoint(host, port), export)
            : Fail("the host is neither a name nor an address", out problem);
    }

    private static NbdUri? ParseUnix(string rest, out string problem)
    {
        var question = rest.IndexOf('?', StringComparison.Ordinal);
        var path = question < 0 ? rest : rest[..question];
        if (path is not ("" or ['/', ..]))
            return Fail("a unix socket address has no host", out problem);

        string? socket = null;
        foreach (var parameter in question < 0 ? [] : rest[(question + 1)..].Split('&'))
        {
            if (!parameter.StartsWith(SocketKey, StringComparison.Ordinal) || socket is not null)
                return Fail($"parameter '{parameter}' is unknown or given twice", out problem);
            socket = Uri.UnescapeDataString(parameter[SocketKey.Length..]);
        }

        if (string.IsNullOrEmpty(socket))
            return Fail("the parameter socket= is missing", out problem);
        try
        {
            problem = "";
            return new NbdUri(new UnixDomainSocketEndPoint(socket), path.Length == 0 ? "" : Uri.UnescapeDataString(path[1..]));
        }
        catch (ArgumentException)
        {
            return Fail("the socket path is too long", out problem);
        }
    }

    private static NbdUri? Fail(string reason, out string problem)
    {
        problem = reason;
        return null;
    }
}
