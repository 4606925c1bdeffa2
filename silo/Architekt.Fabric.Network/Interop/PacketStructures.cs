using System.Runtime.InteropServices;

namespace Architekt.Fabric.Network.Interop;

/// <summary>struct sockaddr_ll (packet(7)).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PacketAddress
{
    internal ushort Family;
    internal ushort Protocol;
    internal int InterfaceIndex;
    internal ushort HardwareType;
    internal byte PacketType;
    internal byte AddressLength;
    internal ulong Address;
}

/// <summary>struct iovec.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct IoVector
{
    internal void* Start;
    internal nuint Length;
}

/// <summary>struct msghdr (recvmsg(2)).</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct MessageHeader
{
    internal void* Name;
    internal uint NameLength;
    internal IoVector* Vectors;
    internal nuint VectorCount;
    internal void* Control;
    internal nuint ControlLength;
    internal int Flags;
}

/// <summary>struct cmsghdr (cmsg(3)); the data follows.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ControlHeader
{
    internal nuint Length;
    internal int Level;
    internal int Type;
}

/// <summary>struct tpacket_auxdata (packet(7), PACKET_AUXDATA).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PacketAuxiliary
{
    internal const uint StatusVlanValid = 1 << 4;
    internal const uint StatusVlanProtocolValid = 1 << 6;

    internal uint Status;
    internal uint Length;
    internal uint CapturedLength;
    internal ushort MacOffset;
    internal ushort NetworkOffset;
    internal ushort VlanTag;
    internal ushort VlanProtocol;
}

/// <summary>struct sock_filter: one instruction of a classic BPF program (linux/filter.h).</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct FilterInstruction(ushort Code, byte JumpTrue, byte JumpFalse, uint Operand);

/// <summary>struct sock_fprog.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct FilterProgram
{
    internal ushort Length;
    internal FilterInstruction* Instructions;
}
