using System.Runtime.InteropServices;

namespace Architekt.Fabric.Memory.Interop;

/// <summary>The parts of include/uapi/linux/userfaultfd.h in use.</summary>
internal static class Userfault
{
    /// <summary>USERFAULTFD_IOC_NEW on /dev/userfaultfd, _IO(0xAA, 0x00).</summary>
    public const uint New = 0xAA00;

    /// <summary>UFFDIO_API, _IOWR(0xAA, 0x3F, struct uffdio_api).</summary>
    public const uint Api = 0xC018AA3F;

    /// <summary>UFFDIO_REGISTER, _IOWR(0xAA, 0x00, struct uffdio_register).</summary>
    public const uint Register = 0xC020AA00;

    /// <summary>UFFDIO_UNREGISTER, _IOR(0xAA, 0x01, struct uffdio_range).</summary>
    public const uint Unregister = 0x8010AA01;

    /// <summary>UFFDIO_WAKE, _IOR(0xAA, 0x02, struct uffdio_range).</summary>
    public const uint Wake = 0x8010AA02;

    /// <summary>UFFDIO_COPY, _IOWR(0xAA, 0x03, struct uffdio_copy).</summary>
    public const uint Copy = 0xC028AA03;

    /// <summary>UFFDIO_WRITEPROTECT, _IOWR(0xAA, 0x06, struct uffdio_writeprotect).</summary>
    public const uint ChangeProtection = 0xC018AA06;

    /// <summary>UFFD_API.</summary>
    public const ulong ApiVersion = 0xAA;

    /// <summary>UFFD_FEATURE_WP_HUGETLBFS_SHMEM, _WP_UNPOPULATED and _WP_ASYNC.</summary>
    public const ulong Features = (1 << 12) | (1 << 13) | (1 << 15);

    /// <summary>UFFDIO_REGISTER_MODE_MISSING.</summary>
    public const ulong Missing = 1;

    /// <summary>UFFDIO_REGISTER_MODE_WP.</summary>
    public const ulong WriteProtect = 2;

    /// <summary>UFFDIO_COPY_MODE_WP: the page arrives protected, and so does not count as written.</summary>
    public const ulong CopyProtected = 2;

    /// <summary>UFFD_EVENT_PAGEFAULT.</summary>
    public const byte PageFault = 0x12;

    /// <summary>UFFD_USER_MODE_ONLY.</summary>
    public const int UserModeOnly = 1;
}

/// <summary>struct uffdio_api.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct UserfaultApi
{
    public ulong Version;
    public ulong Features;
    public ulong Ioctls;
}

/// <summary>struct uffdio_register.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct UserfaultRegister
{
    public ulong Start;
    public ulong Length;
    public ulong Mode;
    public ulong Ioctls;
}

/// <summary>struct uffdio_range.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct UserfaultRange
{
    public ulong Start;
    public ulong Length;
}

/// <summary>struct uffdio_copy.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct UserfaultCopy
{
    public ulong Destination;
    public ulong Source;
    public ulong Length;
    public ulong Mode;

    /// <summary>Bytes copied, or the error number negated; also set when the call fails halfway.</summary>
    public long Copied;
}

/// <summary>struct uffdio_writeprotect; mode 0 takes the protection away.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct UserfaultProtection
{
    public ulong Start;
    public ulong Length;
    public ulong Mode;
}

/// <summary>struct uffd_msg of a page fault.</summary>
[StructLayout(LayoutKind.Explicit, Size = 32)]
internal struct UserfaultMessage
{
    [FieldOffset(0)]
    public byte Event;

    [FieldOffset(16)]
    public ulong Address;
}
