using System.Runtime.InteropServices;
using System.Threading.Tasks.Sources;
using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Nbd;

/// <summary>One blocking file operation on the thread pool; reused.</summary>
internal sealed class FileOperation(FileOperationPool pool, SafeFileHandle file, bool canPunch) : IThreadPoolWorkItem, IValueTaskSource<NbdError>
{
    private const int NoSpaceLeft = 28;
    private const int FileTooBig = 27;
    private const int QuotaExceeded = 122;

    private static readonly byte[] _zeroes = GC.AllocateArray<byte>(1 << 20, pinned: true);

    private ManualResetValueTaskSourceCore<NbdError> _core;
    private FileOperationKind _kind;
    private long _offset;
    private long _length;
    private Memory<byte> _destination;
    private ReadOnlyMemory<byte> _source;

    public ValueTask<NbdError> Start(FileOperationKind kind, long offset, long length, Memory<byte> destination, ReadOnlyMemory<byte> source)
    {
        _core.Reset();
        _kind = kind;
        _offset = offset;
        _length = length;
        _destination = destination;
        _source = source;
        var task = new ValueTask<NbdError>(this, _core.Version);
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        return task;
    }

    public void Execute()
    {
        NbdError result;
        try
        {
            result = Run();
        }
        catch (Exception exception)
        {
            if (ErrorNumber(exception) is not (NoSpaceLeft or FileTooBig or QuotaExceeded))
            {
                _core.SetException(exception);
                return;
            }

            result = NbdError.NoSpace;
        }

        _core.SetResult(result);
    }

    public NbdError GetResult(short token)
    {
        try
        {
            return _core.GetResult(token);
        }
        finally
        {
            _destination = default;
            _source = default;
            pool.Return(this);
        }
    }

    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    /// <summary>.NET puts the error number of most file errors into HResult.</summary>
    private static int ErrorNumber(Exception exception) => exception is IOException ? exception.HResult & 0xffff : 0;

    private NbdError Run()
    {
        switch (_kind)
        {
            case FileOperationKind.Read:
                return Read();
            case FileOperationKind.Write:
                RandomAccess.Write(file, _source.Span, _offset);
                return NbdError.None;
            case FileOperationKind.Flush:
                RandomAccess.FlushToDisk(file);
                return NbdError.None;
            case FileOperationKind.Trim:
                SparseFile.Punch(file, _offset, _length);
                return NbdError.None;
            case FileOperationKind.ZeroMayPunch when canPunch:
                SparseFile.Punch(file, _offset, _length);
                return NbdError.None;
            default:
                return ZeroAllocated();
        }
    }

    private NbdError Read()
    {
        for (var done = 0; done < _destination.Length;)
        {
            var read = RandomAccess.Read(file, _destination.Span[done..], _offset + done);
            if (read == 0)
                throw new EndOfStreamException("The file behind the export was made shorter.");
            done += read;
        }

        return NbdError.None;
    }

    private NbdError ZeroAllocated()
    {
        if (SparseFile.TryFallocate(file, LibC.FallocateZeroRange | LibC.FallocateKeepSize, _offset, _length, out var error))
            return NbdError.None;
        if (error is not (LibC.OperationNotSupported or LibC.InvalidArgument))
            throw new IOException($"Zeroing {_length} bytes at {_offset} failed: {Marshal.GetPInvokeErrorMessage(error)}.", error);
        for (long done = 0; done < _length; done += _zeroes.Length)
            RandomAccess.Write(file, _zeroes.AsSpan(0, (int)Math.Min(_zeroes.Length, _length - done)), _offset + done);
        return NbdError.None;
    }
}
