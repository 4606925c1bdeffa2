using System.Buffers.Binary;
using System.Text;

namespace Architekt.Fabric.Blueprints.Kernels;

/// <summary>Reads a bzImage (Documentation/arch/x86/boot.rst).</summary>
internal static class KernelImage
{
    private const int HeaderLength = 0x210;
    private const int MagicOffset = 0x202;
    private const int VersionPointerOffset = 0x20E;
    private const int VersionBase = 0x200;
    private const int MaxVersionLength = 256;

    /// <summary>Its version.</summary>
    /// <exception cref="BlueprintException">It is not there, or no bzImage.</exception>
    internal static string ReadVersion(string path)
    {
        try
        {
            using var file = File.OpenHandle(path);
            Span<byte> header = stackalloc byte[HeaderLength];
            if (RandomAccess.Read(file, header, 0) == HeaderLength && header[MagicOffset..].StartsWith("HdrS"u8))
            {
                Span<byte> version = stackalloc byte[MaxVersionLength];
                version = version[..RandomAccess.Read(file, version, VersionBase + BinaryPrimitives.ReadUInt16LittleEndian(header[VersionPointerOffset..]))];
                // "6.1.0-56-cloud-amd64 (debian-kernel@lists.debian.org) #1 SMP ..."
                var end = version.IndexOfAny((byte)' ', (byte)0);
                if (end > 0)
                    return Encoding.ASCII.GetString(version[..end]);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new BlueprintException(BlueprintErrorCode.NotFound, $"The kernel {path} cannot be read: {error.Message}", error);
        }

        throw new BlueprintException(BlueprintErrorCode.Invalid, $"{path} is no Linux kernel for x86: give a bzImage, such as /boot/vmlinuz-VERSION.");
    }
}
