using Architekt.Fabric.Peer;
using Architekt.Fabric.Peers;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Silo.Peers;

/// <summary>A peer this silo started or found again.</summary>
internal sealed class SupervisedPeer(InstanceFolder folder, PeerInstance instance, ProcessIdentity process) : IDisposable
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public InstanceFolder Folder => folder;

    public PeerInstance Instance => instance;

    public ProcessIdentity Process => process;

    public PeerClient Client { get; } = new(folder.Path, PeerErrors.ToFabric, instance.ApiVersion);

    /// <summary>Ends once the process is gone and what it left is removed.</summary>
    public Task Ended => _ended.Task;

    public void MarkEnded() => _ended.TrySetResult();

    public void Dispose() => Client.Dispose();
}
