using System.Globalization;
using Architekt.Init.Interop;

namespace Architekt.Init.Network;

/// <summary>Whether the guest's service answers: a TCP port that accepts.</summary>
/// <param name="Address">IPv4 address.</param>
/// <param name="Port">1 to 65535.</param>
internal readonly record struct ReadyCheck(uint Address, ushort Port)
{
    private const uint Loopback = 0x7F000001;

    private static readonly TimeSpan _lookAgain = TimeSpan.FromMilliseconds(20);

    /// <summary>Reads <c>tcp:PORT</c> or <c>tcp:ADDRESS:PORT</c>.</summary>
    internal static bool TryParse(string text, out ReadyCheck check)
    {
        check = default;
        var parts = text.Split(':');
        var address = Loopback;
        if (parts.Length is not (2 or 3) || parts[0] != "tcp" || (parts.Length == 3 && !InterfaceAddress.TryParseAddress(parts[1], out address))
            || !ushort.TryParse(parts[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port == 0)
            return false;
        check = new ReadyCheck(address, port);
        return true;
    }

    /// <summary>Waits until the port accepts a connection, however long that takes.</summary>
    internal void Wait()
    {
        while (!Answers())
            Thread.Sleep(_lookAgain);
    }

    /// <summary>Whether the port accepts a connection now.</summary>
    internal bool Answers()
    {
        using var socket = NetworkCalls.Socket(NetworkCalls.FamilyInternet, NetworkCalls.Stream | NetworkCalls.CloseOnExec, 0);
        return NetworkCalls.Connect(socket, GuestNetwork.SocketAddress(Address, Port), NetworkCalls.SocketAddressSize) == 0;
    }
}
