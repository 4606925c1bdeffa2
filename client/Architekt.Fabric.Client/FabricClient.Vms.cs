using Architekt.Fabric.Client.Vms;

namespace Architekt.Fabric.Client;

public partial class FabricClient
{
    /// <summary>
    /// Creates a VM and starts it: by resuming if the package has memory, else by booting. Returns when its QEMU runs, which is before a guest that boots is up; see
    /// <see cref="WaitForVmAsync"/>. A host that lacks the package first pulls it from one that has it.
    /// </summary>
    public virtual async Task<VmInfo> RunVmAsync(VmSpec spec, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(spec);
        FabricNames.Require(spec.Name, "VM");
        FabricNames.RequirePackageReference(spec.Package);

        try
        {
            return await RunAsync().ConfigureAwait(false);
        }
        catch (FabricException error) when (error.Code == FabricErrorCode.Unavailable)
        {
            // Most hosts have the package, and need not be asked for it first.
            if (!await PullIfMissingAsync(spec, cancellationToken).ConfigureAwait(false)) throw;
            return await RunAsync().ConfigureAwait(false);
        }

        Task<VmInfo> RunAsync() => Connection.CallVmAsync(spec.Name, vm => vm.RunAsync(spec, cancellationToken), cancellationToken);
    }

    /// <summary>The fabric would pull it as well, but only for as long as one call may take. A host nobody knows is for the fabric to name.</summary>
    /// <returns>Whether it was missing, and is there now.</returns>
    private async Task<bool> PullIfMissingAsync(VmSpec spec, CancellationToken cancellationToken)
    {
        if (spec.Host is null
            || (await ListHostsAsync(cancellationToken).ConfigureAwait(false)).All(host => host.Name != spec.Host)
            || await FindPackageAsync(spec.Host, spec.Package, cancellationToken).ConfigureAwait(false) is not null)
            return false;
        await PullPackageAsync(spec.Host, spec.Package, cancellationToken: cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <summary>A VM, or null if there is none of that name.</summary>
    public virtual Task<VmInfo?> FindVmAsync(string name, CancellationToken cancellationToken = default)
    {
        FabricNames.Require(name, "VM");
        return Connection.CallCatalogAsync(catalog => catalog.FindVmAsync(name, cancellationToken), cancellationToken);
    }

    /// <summary>A VM; fails with <see cref="FabricErrorCode.NotFound"/> if there is none of that name.</summary>
    public virtual async Task<VmInfo> GetVmAsync(string name, CancellationToken cancellationToken = default) =>
        await FindVmAsync(name, cancellationToken).ConfigureAwait(false)
            ?? throw FabricException.NotFound($"There is no VM named '{name}'.");

    /// <summary>
    /// A VM, with what it holds of its host now if that can be asked; fails with <see cref="FabricErrorCode.NotFound"/> if there is none of that name.
    /// </summary>
    public virtual async Task<VmInfo> InspectVmAsync(string name, CancellationToken cancellationToken = default)
    {
        var vm = await GetVmAsync(name, cancellationToken).ConfigureAwait(false);
        if (vm.State is not (VmState.Running or VmState.Booting or VmState.Stopping)) return vm;
        try
        {
            return await Connection.CallVmAsync(name, grain => grain.GetAsync(cancellationToken), cancellationToken).ConfigureAwait(false);
        }
        catch (FabricException error) when (error.IsTransient)
        {
            return vm;
        }
    }

    /// <summary>Boots a stopped VM from its own disk. Returns when its QEMU runs, which is before the guest is up; see <see cref="WaitForVmAsync"/>.</summary>
    public virtual Task<VmInfo> StartVmAsync(string name, CancellationToken cancellationToken = default) =>
        Connection.CallVmAsync(name, vm => vm.StartAsync(cancellationToken), cancellationToken);

    /// <summary>All VMs, by name.</summary>
    public virtual async Task<IReadOnlyList<VmInfo>> ListVmsAsync(CancellationToken cancellationToken = default)
    {
        var vms = await Connection.CallCatalogAsync(catalog => catalog.ListVmsAsync(cancellationToken), cancellationToken).ConfigureAwait(false);
        return [.. vms.OrderBy(vm => vm.Name, StringComparer.Ordinal)];
    }

    /// <summary>Asks the guest to shut down, or ends it at once. Returns when it was asked; see <see cref="WaitForVmAsync"/>.</summary>
    /// <param name="name">The VM.</param>
    /// <param name="force">Ends it without asking the guest.</param>
    /// <param name="cancellationToken">Ends the call, not the shutdown.</param>
    public virtual Task<VmInfo> StopVmAsync(string name, bool force = false, CancellationToken cancellationToken = default) =>
        Connection.CallVmAsync(name, vm => vm.StopAsync(force, cancellationToken), cancellationToken);

    /// <summary>Removes a stopped VM and its disk.</summary>
    /// <param name="name">The VM.</param>
    /// <param name="force">Ends it first if it runs.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public virtual Task DeleteVmAsync(string name, bool force = false, CancellationToken cancellationToken = default) =>
        Connection.CallVmAsync(
            name,
            async vm =>
            {
                await vm.DeleteAsync(force, cancellationToken).ConfigureAwait(false);
                return true;
            },
            cancellationToken);

    /// <summary>
    /// Waits until a VM is in a state. A state that was passed counts as reached: a VM that runs is no longer booting.
    /// </summary>
    /// <param name="name">The VM; it may not exist yet when <paramref name="state"/> is not an end state.</param>
    /// <param name="state">The state to wait for; not <see cref="VmState.Unknown"/>.</param>
    /// <param name="timeout">How long to wait.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="FabricException">
    /// <see cref="FabricErrorCode.Timeout"/> when the time is over, <see cref="FabricErrorCode.Failed"/> when the VM has ended and will not get there by itself.
    /// </exception>
    public virtual Task<VmInfo> WaitForVmAsync(string name, VmState state, TimeSpan timeout, CancellationToken cancellationToken = default) =>
        new VmWait(Connection.Options, token => FindVmAsync(name, token)).WaitAsync(name, state, timeout, cancellationToken);

    /// <summary>Reads a piece of a VM's console log.</summary>
    /// <param name="name">The VM.</param>
    /// <param name="offset">Where to start, in bytes; negative counts from the end.</param>
    /// <param name="wait">How long to wait for the first byte, at most 10 seconds; zero does not wait.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public virtual Task<VmLog> ReadLogAsync(string name, long offset, TimeSpan wait = default, CancellationToken cancellationToken = default) =>
        Connection.CallVmAsync(name, vm => vm.ReadLogAsync(offset, (int)wait.TotalMilliseconds, cancellationToken), cancellationToken);

    /// <summary>
    /// Reads a VM's console log as it grows, across moves to other hosts (where it starts anew), until the VM has ended.
    /// </summary>
    /// <param name="name">The VM.</param>
    /// <param name="offset">Where to start, in bytes; negative counts from the end.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public virtual IAsyncEnumerable<VmLog> FollowLogAsync(string name, long offset = 0, CancellationToken cancellationToken = default) =>
        new VmLogFollower(Connection.Options, name, this).FollowAsync(offset, cancellationToken);

    /// <summary>Attaches to a VM's serial console. Any number of users see the same output; what they type is mixed.</summary>
    public virtual VmConsole AttachConsole(string name)
    {
        FabricNames.Require(name, "VM");
        return new VmConsole(this, name);
    }

    /// <summary>Types on a VM's serial console.</summary>
    public virtual Task WriteConsoleAsync(string name, ReadOnlyMemory<byte> data, CancellationToken cancellationToken = default) =>
        Connection.CallVmAsync(
            name,
            async vm =>
            {
                await vm.WriteConsoleAsync(data.ToArray(), cancellationToken).ConfigureAwait(false);
                return true;
            },
            cancellationToken);
}
