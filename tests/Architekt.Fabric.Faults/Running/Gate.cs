using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Faults.Running;

/// <summary>Holds a migration at one point (<see cref="FileGate"/>).</summary>
internal sealed class Gate
{
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(20);
    private readonly string _path;

    /// <summary>Closes it; whoever comes by waits.</summary>
    public Gate(string folder, string operation, string point)
    {
        _path = Path.Combine(folder, $"{operation}.{point}");
        File.WriteAllBytes(_path, []);
    }

    /// <summary>Waits until somebody waits at it.</summary>
    public Task UntilReachedAsync(Func<Task<string>> describe, CancellationToken cancellationToken) => Until.NothingAsync(
        async () => File.Exists(_path + FileGate.ReachedSuffix) ? null : $"the migration does not get to {Path.GetFileName(_path)}: {await describe()}",
        _limit,
        cancellationToken);

    /// <summary>Opens it for good.</summary>
    public void Open() => File.Delete(_path);
}
