namespace Architekt.Fabric.Peer.Migration;

/// <summary>Where the device state goes.</summary>
internal interface IDeviceStateLoader
{
    /// <summary>Passes on bytes that can be loaded before the hand-over. False if QEMU does not take them.</summary>
    Task<bool> FeedAsync(ReadOnlyMemory<byte> state, CancellationToken cancellationToken);

    /// <summary>The hand-over: passes on the rest and waits until QEMU has loaded everything. False if it could not.</summary>
    Task<bool> LoadAsync(ReadOnlyMemory<byte> rest);
}
