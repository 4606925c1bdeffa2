using System.Buffers.Binary;
using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Architekt.Agent.Interop;

/// <summary>One network card, by the ioctls of netdevice(7) and the routes of ip(7) on it. Failures are <see cref="IOException"/>s for people.</summary>
internal sealed unsafe class NetworkCard : IDisposable
{
    private const int InternetFamily = 2; // AF_INET
    private const int Datagram = 2; // SOCK_DGRAM
    private const ushort Ethernet = 1; // ARPHRD_ETHER
    private const ushort Up = 1; // IFF_UP
    private const ushort RouteUp = 1, RouteGateway = 2; // RTF_UP, RTF_GATEWAY
    private const int AddressBytes = 4;
    private const int LongestName = 15; // IFNAMSIZ without the final zero
    private const int ErrorBusy = 16; // EBUSY
    private const int ErrorNoProcess = 3; // ESRCH: no such route

    private readonly SafeFileHandle _socket;
    private readonly string _name;

    private NetworkCard(SafeFileHandle socket, string name) => (_socket, _name) = (socket, name);

    public static NetworkCard Open(string name)
    {
        var socket = LibC.Socket(InternetFamily, Datagram, 0);
        return !socket.IsInvalid ? new NetworkCard(socket, name) : throw new IOException($"Cannot configure {name}: {LibC.LastError()}.");
    }

    /// <summary>Sets the hardware address; takes the card down for a moment only where its driver insists.</summary>
    public void SetMac(byte[] mac)
    {
        if (TrySetMac(mac) == 0)
            return;
        if (Marshal.GetLastPInvokeError() != ErrorBusy)
            throw Failed("set the MAC address of");
        var flags = Flags;
        Flags = (ushort)(flags & ~Up);
        var result = TrySetMac(mac);
        var failure = result == 0 ? null : Failed("set the MAC address of");
        Flags = flags;
        if (failure is not null)
            throw failure;
    }

    /// <summary>Makes this the card's address, in place of the one it has. Takes away its routes.</summary>
    public void SetAddress(byte[] address, int prefixBits)
    {
        var mask = new byte[AddressBytes];
        BinaryPrimitives.WriteUInt32BigEndian(mask, uint.MaxValue << (32 - prefixBits));
        SetInternetAddress(LibC.SetInterfaceAddress, address, "set the address of");
        SetInternetAddress(LibC.SetInterfaceNetmask, mask, "set the prefix length of");
        var flags = Flags;
        if ((flags & Up) == 0)
            Flags = (ushort)(flags | Up);
    }

    /// <summary>Four bytes, or null if there is none.</summary>
    public byte[]? DefaultGateway()
    {
        ReadOnlySpan<byte> table = LibC.ReadFile("/proc/net/route") ?? throw Failed("ask for the gateway of");
        return FindDefaultGateway(table, _name);
    }

    /// <param name="table">/proc/net/route (proc(5)): interface, destination, gateway, flags, ..., numbers in hexadecimal as the machine has them.</param>
    /// <param name="card">Name of the card it is to be reached by.</param>
    internal static byte[]? FindDefaultGateway(ReadOnlySpan<byte> table, string card)
    {
        Span<byte> name = stackalloc byte[LongestName + 1];
        name = name[..Encoding.ASCII.GetBytes(card.AsSpan(0, Math.Min(card.Length, LongestName)), name)];
        while (!table.IsEmpty)
        {
            var line = Next(ref table, (byte)'\n');
            if (Next(ref line, (byte)'\t').TrimEnd((byte)' ').SequenceEqual(name) && Next(ref line, (byte)'\t').SequenceEqual("00000000"u8)
                && Utf8Parser.TryParse(Next(ref line, (byte)'\t'), out uint gateway, out _, 'x') && gateway != 0)
                return BitConverter.GetBytes(gateway);
        }

        return null;
    }

    /// <summary>What comes before the separator, or all of it; what comes after it is left.</summary>
    private static ReadOnlySpan<byte> Next(ref ReadOnlySpan<byte> rest, byte separator)
    {
        var end = rest.IndexOf(separator);
        var word = end < 0 ? rest : rest[..end];
        rest = end < 0 ? default : rest[(end + 1)..];
        return word;
    }

    /// <summary>Makes this the gateway, in place of any other by way of this card.</summary>
    public void SetDefaultGateway(byte[] gateway)
    {
        while (DefaultGateway() is { } old)
        {
            if (Route(LibC.DeleteRoute, old) == 0)
                continue;
            if (Marshal.GetLastPInvokeError() == ErrorNoProcess)
                break;
            throw Failed("take away the gateway of");
        }

        if (Route(LibC.AddRoute, gateway) != 0)
            throw Failed("set the gateway of");
    }

    public void Dispose() => _socket.Dispose();

    private ushort Flags
    {
        get
        {
            var request = NewRequest();
            if (LibC.Configure(_socket, LibC.GetInterfaceFlags, &request) != 0)
                throw Failed("ask for the flags of");
            return *(ushort*)request.Value;
        }

        set
        {
            var request = NewRequest();
            *(ushort*)request.Value = value;
            if (LibC.Configure(_socket, LibC.SetInterfaceFlags, &request) != 0)
                throw Failed("set the flags of");
        }
    }

    private int TrySetMac(byte[] mac)
    {
        var request = NewRequest();
        *(ushort*)request.Value = Ethernet;
        mac.CopyTo(new Span<byte>(request.Value + sizeof(ushort), mac.Length));
        return LibC.Configure(_socket, LibC.SetHardwareAddress, &request);
    }

    private void SetInternetAddress(nuint call, byte[] address, string what)
    {
        var request = NewRequest();
        Fill((LibC.SocketAddress*)request.Value, address);
        if (LibC.Configure(_socket, call, &request) != 0)
            throw Failed(what);
    }

    private int Route(nuint call, byte[] gateway)
    {
        var name = Encoding.ASCII.GetBytes(_name + '\0');
        fixed (byte* device = name)
        {
            var route = new LibC.RouteEntry { Flags = RouteUp | RouteGateway, Device = (nint)device };
            Fill(&route.Destination, new byte[AddressBytes]);
            Fill(&route.Mask, new byte[AddressBytes]);
            Fill(&route.Gateway, gateway);
            return LibC.Configure(_socket, call, &route);
        }
    }

    private static void Fill(LibC.SocketAddress* target, byte[] address)
    {
        target->Family = InternetFamily;
        address.CopyTo(new Span<byte>(target->Address, AddressBytes));
    }

    private LibC.InterfaceRequest NewRequest()
    {
        var request = default(LibC.InterfaceRequest);
        Encoding.ASCII.GetBytes(_name.AsSpan(0, Math.Min(_name.Length, LongestName)), new Span<byte>(request.Name, LongestName));
        return request;
    }

    private IOException Failed(string what) => new($"Cannot {what} {_name}: {LibC.LastError()}.");
}
