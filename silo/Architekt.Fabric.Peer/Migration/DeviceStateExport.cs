using Architekt.Fabric.Nbd;

namespace Architekt.Fabric.Peer.Migration;

/// <summary>
/// The export that takes the device state, in two halves, each written from its beginning without gaps. The first goes to QEMU as it
/// comes, the second, where the source puts what must be loaded last, is kept. FLUSH is the hand-over: the second half goes to QEMU, too,
/// and the FLUSH is answered once QEMU has loaded all of it, and fails if QEMU could not. A second FLUSH gets the first one's answer.
/// </summary>
internal sealed class DeviceStateExport(string name, IDeviceStateLoader loader) : INbdExport
{
    /// <summary>Where the second half begins. Far above any machine's: q35 with the fabric's devices has about 500 KiB in all.</summary>
    public const long LateOffset = 128 << 20;

    private readonly Lock _lock = new();
    private byte[] _late = GC.AllocateUninitializedArray<byte>(1 << 18);
    private long _earlyLength;
    private int _lateLength;
    private Task<bool>? _loading;

    public string Name => name;

    public long Size => 2 * LateOffset;

    public bool IsReadOnly => false;

    public bool IsListed => false;

    public ValueTask<NbdError> ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        ValueTask.FromResult(NbdError.NotPermitted);

    public async ValueTask<NbdError> WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_loading is not null) return NbdError.NotPermitted;
            if (offset == LateOffset + _lateLength)
            {
                var length = _lateLength + source.Length;
                if (length > _late.Length) Array.Resize(ref _late, Math.Max(length, 2 * _late.Length));
                source.Span.CopyTo(_late.AsSpan(_lateLength));
                _lateLength = length;
                return NbdError.None;
            }

            if (offset != _earlyLength || offset + source.Length > LateOffset) return NbdError.Invalid;
            _earlyLength += source.Length;
        }

        return await loader.FeedAsync(source, cancellationToken) ? NbdError.None : NbdError.InputOutput;
    }

    public async ValueTask<NbdError> FlushAsync(CancellationToken cancellationToken)
    {
        Task<bool> loading;
        lock (_lock)
        {
            if (_earlyLength + _lateLength == 0) return NbdError.None;
            loading = _loading ??= loader.LoadAsync(_late.AsMemory(0, _lateLength));
        }

        return await loading ? NbdError.None : NbdError.InputOutput;
    }

    public ValueTask<NbdError> TrimAsync(long offset, long length, CancellationToken cancellationToken) =>
        ValueTask.FromResult(NbdError.NotSupported);

    public ValueTask<NbdError> WriteZeroesAsync(long offset, long length, bool mayPunchHole, CancellationToken cancellationToken) =>
        ValueTask.FromResult(NbdError.NotSupported);
}
