using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Nbd;

/// <summary>Operations of one file, kept for reuse.</summary>
internal sealed class FileOperationPool(SafeFileHandle file, bool canPunch)
{
    private readonly Lock _lock = new();
    private readonly Stack<FileOperation> _free = new();

    public ValueTask<NbdError> Run(
        FileOperationKind kind, long offset, long length, Memory<byte> destination = default, ReadOnlyMemory<byte> source = default)
    {
        FileOperation? operation;
        lock (_lock)
            _free.TryPop(out operation);
        operation ??= new FileOperation(this, file, canPunch);
        return operation.Start(kind, offset, length, destination, source);
    }

    public void Return(FileOperation operation)
    {
        lock (_lock)
            _free.Push(operation);
    }
}
