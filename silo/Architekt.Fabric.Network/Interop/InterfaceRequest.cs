using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Architekt.Fabric.Network.Interop;

/// <summary>struct ifreq (netdevice(7)): a name and a union, of which each request uses one part.</summary>
[StructLayout(LayoutKind.Sequential, Size = 40)]
internal unsafe struct InterfaceRequest
{
    internal const int NameSize = 16;

    internal fixed byte Name[NameSize];
    private fixed byte _union[24];

    internal static InterfaceRequest For(string name)
    {
        if (name.Length is 0 or >= NameSize || name.Any(c => !char.IsAscii(c) || char.IsWhiteSpace(c) || c is '/' or ':' or '\0'))
            throw new ArgumentException($"'{name}' cannot name a network interface: 1 to 15 ASCII characters without space, '/' and ':' are needed.", nameof(name));

        var request = default(InterfaceRequest);
        Encoding.ASCII.GetBytes(name, MemoryMarshal.CreateSpan(ref request.Name[0], NameSize));
        return request;
    }

    internal int Number
    {
        get => Unsafe.ReadUnaligned<int>(ref _union[0]);
        set => Unsafe.WriteUnaligned(ref _union[0], value);
    }

    internal short Flags
    {
        get => Unsafe.ReadUnaligned<short>(ref _union[0]);
        set => Unsafe.WriteUnaligned(ref _union[0], value);
    }

    /// <summary>struct sockaddr with the family ARPHRD_ETHER.</summary>
    internal void SetHardwareAddress(MacAddress address)
    {
        const ushort Ethernet = 1;
        Unsafe.WriteUnaligned(ref _union[0], Ethernet);
        address.CopyTo(MemoryMarshal.CreateSpan(ref _union[2], MacAddress.Length));
    }

    internal MacAddress GetHardwareAddress() => new(MemoryMarshal.CreateReadOnlySpan(ref _union[2], MacAddress.Length));
}
