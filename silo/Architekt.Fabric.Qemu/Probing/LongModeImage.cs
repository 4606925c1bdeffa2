using System.Buffers.Binary;

namespace Architekt.Fabric.Qemu;

/// <summary>
/// A firmware image that does what every 64-bit kernel does first: from the reset vector through protected mode and paging into long mode
/// (AMD64 Architecture Programmer's Manual, volume 2, 14.6). There it checks that it really is in it and tells QEMU's isa-debug-exit device.
/// </summary>
internal static class LongModeImage
{
    /// <summary>I/O port of <c>-device isa-debug-exit,iobase=0xf4</c>.</summary>
    public const int ExitPort = 0xf4;

    /// <summary>QEMU exits with twice the written value plus one (hw/misc/debugexit.c); the image writes 0x2a.</summary>
    public const int SuccessExitCode = (0x2a << 1) | 1;

    /// <summary>The least a firmware image can have.</summary>
    private const int ImageSize = 64 * 1024;

    /// <summary>The image appears twice: at the end of 4 GiB, where the processor starts, and here, where real mode can reach it.</summary>
    private const uint Base = 0xf0000;

    private const int ProtectedMode = 0x100, LongMode = 0x200, Tables = 0x300, GdtPointer = 0x340, ResetVector = 0xfff0;

    private static ReadOnlySpan<byte> RealModeCode =>
    [
        0xfa,                                           // cli
        0xfc,                                           // cld
        0x66, 0x2e, 0x0f, 0x01, 0x16, 0x40, 0x03,       // lgdt cs:[GdtPointer]
        0x0f, 0x20, 0xc0,                               // mov eax, cr0
        0x66, 0x83, 0xc8, 0x01,                         // or eax, 1 (PE)
        0x0f, 0x22, 0xc0,                               // mov cr0, eax
        0x66, 0xea, 0x00, 0x01, 0x0f, 0x00, 0x08, 0x00, // jmp 0x08:Base+ProtectedMode
    ];

    // Page tables in RAM, one page each. One entry of 2 MiB maps everything the image touches onto itself.
    private static ReadOnlySpan<byte> ProtectedModeCode =>
    [
        0x66, 0xb8, 0x10, 0x00,                         // mov ax, 0x10
        0x8e, 0xd8,                                     // mov ds, ax
        0x8e, 0xc0,                                     // mov es, ax
        0x8e, 0xd0,                                     // mov ss, ax
        0xbf, 0x00, 0x10, 0x00, 0x00,                   // mov edi, 0x1000
        0x31, 0xc0,                                     // xor eax, eax
        0xb9, 0x00, 0x0c, 0x00, 0x00,                   // mov ecx, 3 * 4096 / 4
        0xf3, 0xab,                                     // rep stosd
        0xc7, 0x05, 0x00, 0x10, 0x00, 0x00, 0x03, 0x20, 0x00, 0x00, // mov dword [0x1000], 0x2003 (present, writable)
        0xc7, 0x05, 0x00, 0x20, 0x00, 0x00, 0x03, 0x30, 0x00, 0x00, // mov dword [0x2000], 0x3003
        0xc7, 0x05, 0x00, 0x30, 0x00, 0x00, 0x83, 0x00, 0x00, 0x00, // mov dword [0x3000], 0x0083 (and 2 MiB)
        0x0f, 0x20, 0xe0,                               // mov eax, cr4
        0x83, 0xc8, 0x20,                               // or eax, 0x20 (PAE)
        0x0f, 0x22, 0xe0,                               // mov cr4, eax
        0xb8, 0x00, 0x10, 0x00, 0x00,                   // mov eax, 0x1000
        0x0f, 0x22, 0xd8,                               // mov cr3, eax
        0xb9, 0x80, 0x00, 0x00, 0xc0,                   // mov ecx, 0xc0000080 (EFER)
        0x0f, 0x32,                                     // rdmsr
        0x0d, 0x00, 0x01, 0x00, 0x00,                   // or eax, 0x100 (LME)
        0x0f, 0x30,                                     // wrmsr
        0x0f, 0x20, 0xc0,                               // mov eax, cr0
        0x0d, 0x00, 0x00, 0x00, 0x80,                   // or eax, 0x80000000 (PG)
        0x0f, 0x22, 0xc0,                               // mov cr0, eax
        0xea, 0x00, 0x02, 0x0f, 0x00, 0x18, 0x00,       // jmp 0x18:Base+LongMode
    ];

    private static ReadOnlySpan<byte> LongModeCode =>
    [
        0xb9, 0x80, 0x00, 0x00, 0xc0,                   // mov ecx, 0xc0000080 (EFER)
        0x0f, 0x32,                                     // rdmsr
        0xa9, 0x00, 0x04, 0x00, 0x00,                   // test eax, 0x400 (LMA: the processor says it is in long mode)
        0x74, 0x13,                                     // jz halt
        0x48, 0xb8, 0x00, 0x00, 0x00, 0x00, 0x2a, 0x00, 0x00, 0x00, // mov rax, 0x2a00000000 (only a 64-bit register holds it)
        0x48, 0xc1, 0xe8, 0x20,                         // shr rax, 32
        0x66, 0xba, 0xf4, 0x00,                         // mov dx, ExitPort
        0xee,                                           // out dx, al
        0xf4,                                           // halt: hlt
        0xeb, 0xfd,                                     // jmp halt
    ];

    public static byte[] Build()
    {
        var image = new byte[ImageSize];
        RealModeCode.CopyTo(image);
        ProtectedModeCode.CopyTo(image.AsSpan(ProtectedMode));
        LongModeCode.CopyTo(image.AsSpan(LongMode));
        var gdt = image.AsSpan(Tables);
        BinaryPrimitives.WriteUInt64LittleEndian(gdt[8..], 0x00cf9b000000ffff);  // 0x08: 32-bit code, flat
        BinaryPrimitives.WriteUInt64LittleEndian(gdt[16..], 0x00cf93000000ffff); // 0x10: data, flat
        BinaryPrimitives.WriteUInt64LittleEndian(gdt[24..], 0x00af9b000000ffff); // 0x18: 64-bit code
        BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(GdtPointer), (4 * 8) - 1);
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(GdtPointer + 2), Base + Tables);
        // jmp 0xf000:0
        ((ReadOnlySpan<byte>)[0xea, 0x00, 0x00, 0x00, 0xf0]).CopyTo(image.AsSpan(ResetVector));
        return image;
    }
}
