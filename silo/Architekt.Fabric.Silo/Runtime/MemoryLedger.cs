namespace Architekt.Fabric.Silo.Runtime;

/// <summary>Guest memory promised on this host. Promises are made here before anything is started, so two starts cannot both get the last of it.</summary>
internal sealed class MemoryLedger(string host, long capacity)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Vm, long Epoch), long> _promised = [];

    /// <summary>What the host offers, in bytes.</summary>
    public long Capacity => capacity;

    public long Free
    {
        get
        {
            lock (_lock) return capacity - _promised.Values.Sum();
        }
    }

    /// <summary>Why <paramref name="bytes"/> cannot be had; null if they can.</summary>
    public string? Refusal(long bytes) => bytes <= Free
        ? null
        : $"host '{host}' has no room: {bytes >> 20} MiB of guest memory are needed and {Math.Max(0, Free) >> 20} of {capacity >> 20} MiB are free";

    /// <summary>Promises memory. Throws <see cref="FabricErrorCode.NoCapacity"/>.</summary>
    public void Promise(string vm, long epoch, long bytes)
    {
        lock (_lock)
        {
            if (_promised.ContainsKey((vm, epoch))) return;
            if (capacity - _promised.Values.Sum() < bytes)
                throw NoRoom(bytes);
            _promised[(vm, epoch)] = bytes;
        }
    }

    /// <summary>Throws <see cref="FabricErrorCode.NoCapacity"/> unless <paramref name="bytes"/> can be had now.</summary>
    public void Require(long bytes)
    {
        if (bytes > Free) throw NoRoom(bytes);
    }

    /// <summary>Records what is there already, room or not.</summary>
    public void Record(string vm, long epoch, long bytes)
    {
        lock (_lock) _promised[(vm, epoch)] = bytes;
    }

    public void Return(string vm, long epoch)
    {
        lock (_lock) _promised.Remove((vm, epoch));
    }

    private FabricException NoRoom(long bytes) => new(
        FabricErrorCode.NoCapacity,
        $"Host '{host}' has no room: {bytes >> 20} MiB of guest memory are needed and {Math.Max(0, Free) >> 20} of {capacity >> 20} MiB are free. Choose another host or less memory.");
}
