using System.Buffers;

namespace Architekt.Fabric.Memory.Interop;

/// <summary>A stretch of a mapping that one Memory can describe: Memory counts in int, guest RAM does not.</summary>
internal sealed unsafe class RegionWindow(MappedRegion region, long start, int length) : MemoryManager<byte>
{
    public override Memory<byte> Memory => CreateMemory(length);

    public override Span<byte> GetSpan()
    {
        ObjectDisposedException.ThrowIf(region.IsClosed, region);
        return new Span<byte>((byte*)region.DangerousGetHandle() + start, length);
    }

    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)elementIndex, (uint)length);
        var held = false;
        region.DangerousAddRef(ref held);
        return new MemoryHandle((byte*)region.DangerousGetHandle() + start + elementIndex, pinnable: this);
    }

    public override void Unpin() => region.DangerousRelease();

    protected override void Dispose(bool disposing)
    {
    }
}
