using Architekt.Fabric.Memory;

namespace Architekt.Fabric.Peer.Machine;

/// <summary>
/// What the kernel can track, and this process may: QEMU gets <c>/dev/userfaultfd</c> from its peer. The system call that everyone may use sees none of the faults that come from the kernel, and
/// every read of a disk is one.
/// </summary>
internal sealed class PeerTracking : IDirtyTrackingProbe
{
    public DirtyTrackingSupport Probe()
    {
        try
        {
            using var device = UserfaultDevice.OpenInheritable();
        }
        catch (IOException error)
        {
            return new DirtyTrackingSupport(error.Message);
        }

        return DirtyTracking.Kernel.Probe();
    }
}
