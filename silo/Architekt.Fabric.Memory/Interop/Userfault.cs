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

    /// <summary>UFFD_API.</summary>
    public const ulong ApiVersion = 0xAA;

    /// <summary>UFFD_FEATURE_WP_HUGETLBFS_SHMEM, _WP_UNPOPULATED and _WP_ASYNC.</summary>
    public const ulong Features = (1 << 12) | (1 << 13) | (1 << 15);

    /// <summary>UFFDIO_REGISTER_MODE_WP.</summary>
    public const ulong WriteProtect = 2;

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
