using System.Buffers;

namespace Architekt.Fabric.Nbd;

/// <summary>
/// Unmanaged memory larger than a <see cref="Memory{T}"/> can be: windows of almost 2 GiB, one starting at each GiB, so that every slice of up to 1 GiB lies in one.
/// </summary>
internal sealed unsafe class MemoryWindows
{
    private const int Shift = 30;

    private readonly Window[] _windows;

    public MemoryWindows(nint address, long size)
    {
        _windows = new Window[(size >> Shift) + 1];
        for (var i = 0; i < _windows.Length; i++)
        {
            var start = (long)i << Shift;
            _windows[i] = new Window((byte*)address + start, (int)Math.Min(size - start, int.MaxValue));
        }
    }

    public Memory<byte> Slice(long offset, int length) => _windows[offset >> Shift].Memory.Slice((int)(offset & ((1L << Shift) - 1)), length);

    private sealed class Window(byte* start, int length) : MemoryManager<byte>
    {
        public override Span<byte> GetSpan() => new(start, length);

        public override MemoryHandle Pin(int elementIndex = 0) => new(start + elementIndex);

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}
