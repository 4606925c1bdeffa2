using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Qemu.Tests.Guests;

/// <summary>A TAP device that exists as long as its descriptor does (kernel: Documentation/networking/tuntap.rst).</summary>
internal sealed unsafe partial class TestTap : IDisposable
{
    public const string ControlDevice = "/dev/net/tun";

    // linux/if_tun.h: TUNSETIFF, TUNGETIFF; IFF_TAP, IFF_NO_PI and IFF_VNET_HDR; ifreq has 40 bytes, the name first, the flags at 16.
    private const nuint SetInterface = 0x400454ca, GetInterface = 0x800454d2;
    private const ushort Flags = 0x0002 | 0x1000 | 0x4000;

    private readonly SafeFileHandle _handle = File.OpenHandle(ControlDevice, FileMode.Open, FileAccess.ReadWrite);

    public TestTap()
    {
        var request = stackalloc byte[40];
        BinaryPrimitives.WriteUInt16LittleEndian(new Span<byte>(request + 16, 2), Flags);
        Assert.True(Ioctl(Descriptor, SetInterface, request) == 0, $"TUNSETIFF: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    public int Descriptor => (int)_handle.DangerousGetHandle();

    /// <summary>The interface's name, as long as somebody holds the device.</summary>
    public string Name
    {
        get
        {
            var request = stackalloc byte[40];
            Assert.Equal(0, Ioctl(Descriptor, GetInterface, request));
            return Encoding.ASCII.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(request));
        }
    }

    public void Dispose() => _handle.Dispose();

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Ioctl(int descriptor, nuint request, byte* argument);
}
