using Microsoft.Extensions.Options;

namespace Architekt.Fabric.Silo.Runtime;

/// <summary>
/// RAM that VMs left here when they moved away: if they come back, only what they wrote since has to be sent. It is kept while there is room, and given up
/// first when there is none.
/// </summary>
internal sealed partial class KeptMemory(IOptions<FabricOptions> options, HostPaths paths, MemoryLedger memory, TimeProvider time, ILogger<KeptMemory> logger)
{
    private const double DefaultShare = 0.25;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Visit> _visits = [];

    private long Limit => options.Value.KeptMemoryBytes ?? (long)(memory.Capacity * DefaultShare);

    /// <summary>VMs whose RAM is kept.</summary>
    public IReadOnlyList<string> Vms
    {
        get
        {
            lock (_lock) return [.. _visits.Keys];
        }
    }

    /// <summary>Where the RAM of a VM that still holds it may be kept, giving up older ones for it; null if it is too large.</summary>
    public string? Reserve(string vm, long epoch, long bytes)
    {
        lock (_lock)
        {
            Drop(vm);
            if (bytes > Limit) return null;
            Shrink(Limit - bytes);
            return paths.KeptMemory(vm, epoch);
        }
    }

    /// <summary>The RAM is there.</summary>
    public void Add(string vm, string name, string path, long bytes)
    {
        lock (_lock)
        {
            Drop(vm);
            _visits[vm] = new Visit(name, path, bytes, time.GetUtcNow());
            LogKept(vm, name, bytes >> 20);
        }
    }

    /// <summary>Hands out a VM's kept RAM, which is the caller's from then on, if it is one of these; any other is of no use any more.</summary>
    public (string Name, string Path)? Take(string vm, IReadOnlyList<string> names)
    {
        lock (_lock)
        {
            if (_visits.TryGetValue(vm, out var visit) && names.Contains(visit.Name) && File.Exists(visit.Path))
            {
                _visits.Remove(vm);
                return (visit.Name, visit.Path);
            }

            Drop(vm);
            return null;
        }
    }

    /// <summary>Gives up the oldest until all that is promised to VMs can be had.</summary>
    public void MakeRoom()
    {
        lock (_lock) Shrink(memory.Free);
    }

    /// <summary>Gives up what a VM left.</summary>
    public void Forget(string vm)
    {
        lock (_lock) Drop(vm);
    }

    /// <summary>Gives up what is too old.</summary>
    public void Expire()
    {
        lock (_lock)
        {
            var oldest = time.GetUtcNow() - options.Value.KeptMemoryAge;
            foreach (var (vm, _) in _visits.Where(visit => visit.Value.Since < oldest).ToList()) Drop(vm);
        }
    }

    /// <summary>Gives up all, also what a silo that did not come to its end has left: whose it was is known to nobody any more.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            _visits.Clear();
            if (!Directory.Exists(paths.Runtime)) return;
            foreach (var file in Directory.EnumerateFiles(paths.Runtime, "*" + HostPaths.KeptMemorySuffix)) File.Delete(file);
        }
    }

    private void Shrink(long most)
    {
        while (_visits.Count > 0 && _visits.Values.Sum(static visit => visit.Bytes) > most)
            Drop(_visits.MinBy(static visit => visit.Value.Since).Key);
    }

    private void Drop(string vm)
    {
        if (!_visits.Remove(vm, out var visit)) return;
        File.Delete(visit.Path);
        LogGivenUp(vm, visit.Name);
    }

    [LoggerMessage(2401, LogLevel.Information, "Keeping the RAM of {Vm} as {Name}, {MiB} MiB, in case it comes back")]
    private partial void LogKept(string vm, string name, long miB);

    [LoggerMessage(2402, LogLevel.Information, "Giving up the RAM of {Vm}, {Name}")]
    private partial void LogGivenUp(string vm, string name);

    private sealed record Visit(string Name, string Path, long Bytes, DateTimeOffset Since);
}
