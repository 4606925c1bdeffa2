using System.Buffers;
using Architekt.Fabric.Nbd;
using Architekt.Fabric.Peer.Machine;

namespace Architekt.Fabric.Peer.Migration;

/// <summary>
/// The export that takes what the source knows of the guest's bases (<see cref="KnownBaseFormat"/>), once its first pass is through: written from the beginning without gaps, and
/// complete with a FLUSH, which fails if it cannot be read.
/// </summary>
/// <param name="name">Name of the export.</param>
/// <param name="memoryLength">Bytes of the guest's RAM.</param>
/// <param name="take">Told what was read.</param>
internal sealed class BasesExport(string name, long memoryLength, Action<IReadOnlyList<KnownBase>> take) : INbdExport
{
    private readonly Lock _lock = new();
    private readonly ArrayBufferWriter<byte> _bytes = new();

    public string Name => name;

    /// <summary>A set for each base, each one bit for a page, and room for their names.</summary>
    public long Size { get; } = (MemoryBases.MostVisits + 1) * ((memoryLength >> 15) + (8 << 10));

    public bool IsReadOnly => false;

    public bool IsListed => false;

    public ValueTask<NbdError> ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        ValueTask.FromResult(NbdError.NotPermitted);

    public ValueTask<NbdError> WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (offset != _bytes.WrittenCount) return ValueTask.FromResult(NbdError.Invalid);
            _bytes.Write(source.Span);
        }

        return ValueTask.FromResult(NbdError.None);
    }

    public ValueTask<NbdError> FlushAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            try
            {
                take(KnownBaseFormat.Read(_bytes.WrittenSpan, memoryLength));
                return ValueTask.FromResult(NbdError.None);
            }
            catch (InvalidDataException)
            {
                return ValueTask.FromResult(NbdError.Invalid);
            }
        }
    }

    public ValueTask<NbdError> TrimAsync(long offset, long length, CancellationToken cancellationToken) =>
        ValueTask.FromResult(NbdError.NotSupported);

    public ValueTask<NbdError> WriteZeroesAsync(long offset, long length, bool mayPunchHole, CancellationToken cancellationToken) =>
        ValueTask.FromResult(NbdError.NotSupported);
}
