using System.Runtime.CompilerServices;
using Architekt.Fabric.Network.Interop;

namespace Architekt.Fabric.Network;

/// <summary>The few options of AF_PACKET sockets that we use (packet(7), socket(7)).</summary>
internal static unsafe class PacketSocket
{
    internal const int LevelSocket = 1;
    internal const int LevelPacket = 263;

    internal const int Timestamp = 35; // SO_TIMESTAMPNS and its control message
    internal const int Mark = 36; // SO_MARK
    internal const int AuxiliaryData = 8; // PACKET_AUXDATA
    internal const int VirtioHeader = 15; // PACKET_VNET_HDR

    internal const ushort AllProtocols = 0x0300; // ETH_P_ALL in the order of the network

    private const int SendBuffer = 7;
    private const int ReceiveBuffer = 8;
    private const int AttachFilterOption = 26;
    private const int SendBufferForce = 32;
    private const int ReceiveBufferForce = 33;
    private const int Statistics = 6;
    private const int ReceiveTimeout = 20; // SO_RCVTIMEO with a 64-bit struct timeval

    /// <summary>Hears nothing until it is bound with a protocol.</summary>
    internal static Descriptor Open()
    {
        var socket = NativeMethods.Socket(NativeMethods.AddressFamilyPacket, NativeMethods.SocketRaw | NativeMethods.SocketCloseOnExec, 0);
        return socket.IsInvalid ? throw NetworkException.FromLastError("A packet socket cannot be opened (CAP_NET_RAW is needed)") : socket;
    }

    internal static void Set(Descriptor socket, int level, int option, int value)
    {
        if (NativeMethods.SetOption(socket, level, option, &value, sizeof(int)) != 0)
            throw NetworkException.FromLastError($"Option {level}/{option} of a packet socket cannot be set");
    }

    internal static void SetReceiveTimeout(Descriptor socket, TimeSpan longest)
    {
        var value = stackalloc long[2] { (long)longest.TotalSeconds, longest.Ticks % TimeSpan.TicksPerSecond / TimeSpan.TicksPerMicrosecond };
        if (NativeMethods.SetOption(socket, LevelSocket, ReceiveTimeout, value, 2 * sizeof(long)) != 0)
            throw NetworkException.FromLastError("A packet socket does not take its timeout");
    }

    /// <summary>Asks for a buffer beyond the system's limit (CAP_NET_ADMIN), or else for as much as the limit allows.</summary>
    internal static void SetBuffers(Descriptor socket, int bytes)
    {
        if (NativeMethods.SetOption(socket, LevelSocket, ReceiveBufferForce, &bytes, sizeof(int)) != 0)
            Set(socket, LevelSocket, ReceiveBuffer, bytes);
        if (NativeMethods.SetOption(socket, LevelSocket, SendBufferForce, &bytes, sizeof(int)) != 0)
            Set(socket, LevelSocket, SendBuffer, bytes);
    }

    internal static void AttachFilter(Descriptor socket, ReadOnlySpan<FilterInstruction> program)
    {
        fixed (FilterInstruction* instructions = program)
        {
            var filter = new FilterProgram { Length = (ushort)program.Length, Instructions = instructions };
            if (NativeMethods.SetOption(socket, LevelSocket, AttachFilterOption, &filter, (uint)sizeof(FilterProgram)) != 0)
                throw NetworkException.FromLastError("A packet socket does not take its filter");
        }
    }

    internal static void Bind(Descriptor socket, int interfaceIndex, ushort protocol, string interfaceName)
    {
        var address = new PacketAddress { Family = NativeMethods.AddressFamilyPacket, InterfaceIndex = interfaceIndex, Protocol = protocol };
        if (NativeMethods.Bind(socket, address, (uint)Unsafe.SizeOf<PacketAddress>()) != 0)
            throw NetworkException.FromLastError($"A packet socket cannot be bound to '{interfaceName}'");
    }

    /// <summary>Frames that found the receive buffer full since the last call (PACKET_STATISTICS; reading resets it).</summary>
    internal static int TakeDropped(Descriptor socket)
    {
        var counters = stackalloc uint[2];
        var length = 2u * sizeof(uint);
        return NativeMethods.GetOption(socket, LevelPacket, Statistics, counters, ref length) == 0 ? (int)counters[1] : 0;
    }
}
