using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Packages;

/// <summary>An exclusive or shared lock that ends with its process (.NET's <see cref="FileShare.None"/> is flock(2) on Linux).</summary>
internal sealed class FileLock : IDisposable
{
    private static readonly TimeSpan _retryInterval = TimeSpan.FromMilliseconds(10);

    private readonly SafeFileHandle _handle;

    private FileLock(SafeFileHandle handle) => _handle = handle;

    /// <returns>Null when someone else has it.</returns>
    internal static FileLock? TryTake(string path)
    {
        try
        {
            return new FileLock(File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException error) when (error.GetType() == typeof(IOException) && !Interop.LibC.IsNoSpace(error))
        {
            return null;
        }
    }

    internal static async Task<FileLock> TakeAsync(string path, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (TryTake(path) is { } taken)
                return taken;
            await Task.Delay(_retryInterval, cancellationToken);
        }
    }

    /// <summary>A lock that others may share: whatever is not <see cref="FileShare.None"/> is LOCK_SH. Only for a file that nobody takes exclusively now.</summary>
    internal static FileLock Share(string path) =>
        new(File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite));

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();
}
