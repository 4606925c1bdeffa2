using System.Globalization;
using Architekt.Fabric.Packages;
using Architekt.Fabric.Peers;
using Architekt.Fabric.Processes;
using Architekt.Fabric.Qemu;
using Architekt.Fabric.Runner.Machine;
using Architekt.Fabric.Runner.State;
using ProcessIdentity = Architekt.Fabric.Processes.ProcessIdentity;

namespace Architekt.Fabric.Runner;

/// <summary>Runs a package on this machine, without silo and database: what Architekt called the runner.</summary>
public static class MachineRunner
{
    private const string SharedMemory = "/dev/shm";

    /// <summary>Starts a machine: resumes it from where it was suspended, boots it from the disk it had when it shut down, or begins with the package.</summary>
    /// <param name="options">What to run, and how.</param>
    /// <param name="progress">Told how far a package is that is brought in for the first time.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Gives it up; nothing is left running.</param>
    /// <returns>The machine, running.</returns>
    /// <exception cref="RunnerException">It could not be started, and nothing of it is left.</exception>
    /// <exception cref="PackageException">The package is not one, or not what its manifest says.</exception>
    public static async Task<RunningMachine> StartAsync(
        RunnerOptions options, IProgress<PackageProgress>? progress, TimeProvider time, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        RequirePeer(options.PeerPath);
        var file = await PackageFile.InspectAsync(options.Package, cancellationToken);
        var name = options.Name ?? file.Manifest.Name;
        if (!RunnerOptions.IsName(name)) throw new RunnerException(RunnerErrorCode.Invalid, RunnerOptions.NameProblem(name));
        var root = new RunnerRoot(options.StateFolder);
        var folder = MachineFolder.Take(root, name);
        PackageLease? lease = null;
        try
        {
            await Leftovers.CleanAsync(folder);
            var state = options.Fresh ? null : folder.State;
            if (state is not null && state.Record.Package != file.Digest)
            {
                throw new RunnerException(
                    RunnerErrorCode.Conflict,
                    $"The machine '{name}' was {(state.Record.HasMemory ? "suspended" : "shut down")} and came from another package, {state.Record.Package}, not from {file.Digest}: "
                    + "start over with --fresh, or give this one another name with --name.");
            }

            var host = await HostFacts.FindAsync(options, root, cancellationToken);
            RequiredPorts.Check(options.Forwards, host.QemuUserId is not null);
            var packages = await RunnerPackages.OpenAsync(root, cancellationToken);
            lease = await packages.UseAsync(file, progress, cancellationToken);
            var plan = await MachinePlan.MakeAsync(options, host, root, lease.Package.Manifest, file.Digest, state, time, cancellationToken);
            if (plan.Record.Mac is null && options.Forwards.Count > 0)
                throw new RunnerException(RunnerErrorCode.Invalid, $"'{name}' has no network card that a port could lead to: its package was made without one.");
            RequireRoom(plan.Record.MemoryBytes, name);
            return await LaunchAsync(name, options, host, folder, packages, lease, plan, time, cancellationToken);
        }
        catch
        {
            lease?.Dispose();
            folder.Dispose();
            throw;
        }
    }

    private static async Task<RunningMachine> LaunchAsync(
        string name, RunnerOptions options, HostFacts host, MachineFolder folder, RunnerPackages packages, PackageLease lease, MachinePlan plan, TimeProvider time,
        CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        var runtime = new InstanceFolder(Path.Combine(SharedMemory, $"architekt-run-{Guid.NewGuid().ToString("N")[..12]}"));
        var run = new RunRecord(ProcessIdentity.Current.ToString(), runtime.Path, Peer: null);
        PeerClient? client = null;
        try
        {
            await folder.WriteRunAsync(run);
            var instance = plan.ToInstance(name, options, host, folder, lease.Package);
            await new QemuImg().CreateOverlayAsync(folder.Overlay, instance.BaseDiskPath!, cancellationToken);
            await File.WriteAllBytesAsync(folder.ConsoleLog, [], cancellationToken);
            foreach (var file in new[] { folder.Overlay, folder.ConsoleLog }) FileOwner.Give(file, host.QemuUserId);
            await runtime.CreateAsync(instance, keepsDisk: true, cancellationToken);
            var peer = await PeerProcess.StartAsync(Path.GetFullPath(options.PeerPath), runtime, outlives: false, cancellationToken);
            await folder.WriteRunAsync(run with { Peer = peer.ToString() });
            client = new PeerClient(runtime.Path);
            await PeerProcess.WaitUntilAnsweringAsync(client, peer, time, cancellationToken);
            await client.BootAsync(MachinePlan.Epoch, cancellationToken);
            if (options.Fresh) folder.Forget();
            return new RunningMachine(name, options, host, folder, packages, lease, plan, runtime, client, peer, time) { StartTime = time.GetElapsedTime(began) };
        }
        catch (Exception error)
        {
            client?.Dispose();
            var words = runtime.LastWords();
            await Leftovers.CleanAsync(folder);
            throw error switch
            {
                PeerCallException refused => new RunnerException(RunnerErrorCode.Failed, refused.Message, refused),
                CommandFailedException or ToolMissingException or TimeoutException =>
                    new RunnerException(RunnerErrorCode.Failed, $"The peer of '{name}' did not start: {error.Message} ({words})", error),
                QemuImgException => new RunnerException(RunnerErrorCode.Failed, $"The disk of '{name}' could not be made: {error.Message}", error),
                _ => error,
            };
        }
    }

    private static void RequirePeer(string path)
    {
        if (ExecutablePath.Find(Path.GetFullPath(path)) is null)
        {
            throw new RunnerException(
                RunnerErrorCode.Unsupported,
                $"There is no peer at {path}, and a machine needs one: install it there with its libarchitekt-arm.so, or say where it is with --peer or FABRIC_PEER.");
        }
    }

    private static void RequireRoom(long bytes, string name)
    {
        var free = new DriveInfo(SharedMemory).AvailableFreeSpace;
        if (free < bytes)
        {
            throw new RunnerException(
                RunnerErrorCode.NoCapacity,
                string.Create(CultureInfo.InvariantCulture, $"'{name}' has {bytes >> 20} MiB of RAM, and {SharedMemory} has room for {free >> 20} MiB: end something, or make it larger (mount -o remount,size=)."));
        }
    }
}
