using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Integration.Tests;

/// <summary>Holds an operation before one of its acts, or at one of its points, until it is disposed (<see cref="FileGate"/>).</summary>
internal sealed class OperationGate : IDisposable
{
    private readonly string _path;

    public OperationGate(string folder, string operation, string point)
    {
        _path = Path.Combine(folder, $"{operation}.{point}");
        File.WriteAllBytes(_path, []);
    }

    /// <summary>Waits until it is held.</summary>
    public Task UntilReachedAsync(CancellationToken cancellationToken) =>
        TwoHosts.UntilAsync(() => Task.FromResult(File.Exists(_path + FileGate.ReachedSuffix)), $"{Path.GetFileName(_path)} is reached", cancellationToken);

    public void Dispose() => File.Delete(_path);
}
