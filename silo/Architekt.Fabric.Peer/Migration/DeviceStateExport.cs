using Architekt.Fabric.Nbd;

namespace Architekt.Fabric.Peer.Migration;

/// <summary>
/// The export that takes the device state. FLUSH is the hand-over: it is answered once QEMU has loaded what was written, and fails if QEMU
/// could not. A second FLUSH gets the first one's answer.
/// </summary>
internal sealed class DeviceStateExport(string name, Func<ReadOnlyMemory<byte>, Task<bool>> load) : INbdExport
{
    /// <summary>Far above any machine's: q35 with the fabric's devices has about 200 KiB.</summary>
    private const int LargestState = 256 << 20;

    private readonly Lock _lock = new();
    private byte[] _buffer = GC.AllocateUninitializedArray<byte>(1 << 20);
    private int _length;
    private Task<bool>? _loading;

    public string Name => name;

    public long Size => LargestState;

    public bool IsReadOnly => false;

    public bool IsListed => false;

    public ValueTask<NbdError> ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        ValueTask.FromResult(NbdError.NotPermitted);

    public ValueTask<NbdError> WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_loading is not null) return ValueTask.FromResult(NbdError.NotPermitted);
            var end = (int)offset + source.Length;
            if (end > _buffer.Length) Array.Resize(ref _buffer, Math.Min(LargestState, Math.Max(end, 2 * _buffer.Length)));
            source.Span.CopyTo(_buffer.AsSpan((int)offset));
            _length = Math.Max(_length, end);
        }

        return ValueTask.FromResult(NbdError.None);
    }

    public async ValueTask<NbdError> FlushAsync(CancellationToken cancellationToken)
    {
        Task<bool> loading;
        lock (_lock)
        {
            if (_length == 0) return NbdError.None;
            loading = _loading ??= load(_buffer.AsMemory(0, _length));
        }

        return await loading ? NbdError.None : NbdError.InputOutput;
    }

    public ValueTask<NbdError> TrimAsync(long offset, long length, CancellationToken cancellationToken) =>
        ValueTask.FromResult(NbdError.NotSupported);

    public ValueTask<NbdError> WriteZeroesAsync(long offset, long length, bool mayPunchHole, CancellationToken cancellationToken) =>
        ValueTask.FromResult(NbdError.NotSupported);
}
