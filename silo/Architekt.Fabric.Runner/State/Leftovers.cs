using Architekt.Fabric.Peers;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Runner.State;

/// <summary>Ends and removes what a run has left that could not do so itself.</summary>
internal static class Leftovers
{
    private static readonly TimeSpan _deadline = TimeSpan.FromSeconds(10);

    public static async Task CleanAsync(MachineFolder machine)
    {
        if (machine.ReadRun() is { } run)
        {
            var folder = new InstanceFolder(run.RuntimeFolder);
            if (ProcessIdentity.TryParse(run.Peer, out var peer)) await EndAsync(peer);
            await EndQemuAsync(folder);
            folder.Delete();
        }

        machine.Clean();
    }

    /// <summary>A peer that was killed could not end its QEMU.</summary>
    public static async Task EndQemuAsync(InstanceFolder folder)
    {
        if (folder.ReadIdentity() is { QemuPid: > 0 } identity) await EndAsync(new ProcessIdentity(identity.QemuPid, identity.QemuStartTicks));
    }

    private static async Task EndAsync(ProcessIdentity process)
    {
        if (process.Kill(ProcessSignal.Kill)) await process.WaitForExitAsync(_deadline);
    }
}
