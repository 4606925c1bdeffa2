using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Architekt.Init.Boot;
using Architekt.Init.Interop;
using Microsoft.Win32.SafeHandles;

namespace Architekt.Init.Network;

/// <summary>Brings up the loopback interface and, as the kernel's command line says, the network card.</summary>
internal static class GuestNetwork
{
    private const string Card = "eth0";

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _lookAgain = TimeSpan.FromMilliseconds(10);

    /// <summary>What cannot be done is said, and the guest goes on without.</summary>
    internal static void Configure(KernelCommandLine commandLine)
    {
        using var socket = NetworkCalls.Socket(NetworkCalls.FamilyInternet, NetworkCalls.Datagram | NetworkCalls.CloseOnExec, 0);
        Set(socket, "lo", NetworkCalls.SetFlags, Flags(), "bring it up");
        if (commandLine.Value("ip") is not { } text)
            return;
        if (!InterfaceAddress.TryParse(text, out var address))
        {
            GuestConsole.Say($"architekt.ip={text} is no address such as 10.0.0.5/24; there is no network");
            return;
        }

        if (!IsThere(Card))
        {
            GuestConsole.Say("architekt.ip is given, but there is no virtio network card");
            return;
        }

        if (Set(socket, Card, NetworkCalls.SetAddress, SocketAddress(address.Address), "give it an address")
            && Set(socket, Card, NetworkCalls.SetNetMask, SocketAddress(address.Mask), "set its prefix")
            && (address.PrefixLength > 30 || Set(socket, Card, NetworkCalls.SetBroadcast, SocketAddress(address.Broadcast), "set its broadcast address"))
            && Set(socket, Card, NetworkCalls.SetFlags, Flags(), "bring it up")
            && commandLine.Value("gw") is { } gateway)
            AddDefaultRoute(socket, gateway);
    }

    /// <summary>struct sockaddr_in, ip(7).</summary>
    internal static byte[] SocketAddress(uint address, ushort port = 0)
    {
        var bytes = new byte[NetworkCalls.SocketAddressSize];
        MemoryMarshal.Write(bytes, (ushort)NetworkCalls.FamilyInternet);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(2), port);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(4), address);
        return bytes;
    }

    private static byte[] Flags()
    {
        var bytes = new byte[sizeof(short)];
        MemoryMarshal.Write(bytes, (short)(NetworkCalls.InterfaceUp | NetworkCalls.InterfaceRunning));
        return bytes;
    }

    private static bool Set(SafeFileHandle socket, string name, nuint request, byte[] value, string what)
    {
        var argument = new byte[NetworkCalls.InterfaceRequestSize];
        Encoding.ASCII.GetBytes(name, argument);
        value.CopyTo(argument, NetworkCalls.InterfaceNameSize);
        if (NetworkCalls.Control(socket, request, argument) == 0)
            return true;
        GuestConsole.Say($"{name}: cannot {what}: {LibC.LastError()}");
        return false;
    }

    private static void AddDefaultRoute(SafeFileHandle socket, string gateway)
    {
        var route = new byte[NetworkCalls.RouteSize];
        var addresses = route.AsSpan(sizeof(ulong));
        SocketAddress(0).CopyTo(addresses);
        SocketAddress(0).CopyTo(addresses[(2 * NetworkCalls.SocketAddressSize)..]);
        MemoryMarshal.Write(addresses[(3 * NetworkCalls.SocketAddressSize)..], (short)(NetworkCalls.RouteUp | NetworkCalls.RouteGateway));
        if (!InterfaceAddress.TryParseAddress(gateway, out var address))
        {
            GuestConsole.Say($"architekt.gw={gateway} is no IPv4 address; there is no default route");
            return;
        }

        SocketAddress(address).CopyTo(addresses[NetworkCalls.SocketAddressSize..]);
        if (NetworkCalls.Control(socket, NetworkCalls.AddRoute, route) != 0)
            GuestConsole.Say($"cannot route through {gateway}: {LibC.LastError()}");
    }

    private static bool IsThere(string name)
    {
        var deadline = Environment.TickCount64 + (long)_patience.TotalMilliseconds;
        while (!Directory.Exists($"/sys/class/net/{name}"))
        {
            if (Environment.TickCount64 > deadline)
                return false;
            Thread.Sleep(_lookAgain);
        }

        return true;
    }
}
