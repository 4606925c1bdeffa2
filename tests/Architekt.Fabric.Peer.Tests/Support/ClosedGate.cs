using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Peer.Tests.Support;

/// <summary>A gate that a peer waits at until it is opened (<see cref="FileGate"/>).</summary>
internal sealed class ClosedGate
{
    private readonly string _path;

    public ClosedGate(string path)
    {
        _path = path;
        File.WriteAllBytes(path, []);
    }

    private string Reached => _path + FileGate.ReachedSuffix;

    public Task ReachedAsync() => Deadline.UntilAsync(() => File.Exists(Reached), $"the peer is at {Path.GetFileName(_path)}");

    public void Open()
    {
        File.Delete(_path);
        File.Delete(Reached);
    }
}
