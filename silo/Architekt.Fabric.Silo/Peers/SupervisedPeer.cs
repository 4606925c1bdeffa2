using Architekt.Fabric.Peer;
using Architekt.Fabric.Peers;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Silo.Peers;

/// <summary>A peer this silo started or found again.</summary>
/// <param name="folder">Its folder.</param>
/// <param name="instance">What it was started for.</param>
/// <param name="process">Its process.</param>
/// <param name="isFound">Whether a former silo started it.</param>
internal sealed class SupervisedPeer(InstanceFolder folder, PeerInstance instance, ProcessIdentity process, bool isFound = false) : IDisposable
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ProcessIdentity _qemu;
    private bool _wasIdle;

    public InstanceFolder Folder => folder;

    public PeerInstance Instance => instance;

    public ProcessIdentity Process => process;

    public PeerClient Client { get; } = new(folder.Path, PeerErrors.ToFabric, instance.ApiVersion);

    /// <summary>Ends once the process is gone and what it left is removed.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Whether peer and QEMU are there now. Looks at the processes, because one that is only slow to answer has not ended.</summary>
    public bool HasQemu()
    {
        if (Ended.IsCompleted || folder.HasEnded || !process.IsAlive()) return false;
        if (_qemu == default && folder.ReadIdentity() is { QemuPid: > 0 } identity) _qemu = new ProcessIdentity(identity.QemuPid, identity.QemuStartTicks);
        return _qemu != default && _qemu.IsAlive();
    }

    /// <summary>Whether it waits for a silo that is gone to start its guest. Seen twice, because that silo's last word may just be on its way.</summary>
    public bool IsForsaken(PeerStatus? status)
    {
        var wasIdle = _wasIdle;
        _wasIdle = status is { State: PeerState.Idle };
        return isFound && wasIdle && _wasIdle;
    }

    public void MarkEnded() => _ended.TrySetResult();

    public void Dispose() => Client.Dispose();
}
