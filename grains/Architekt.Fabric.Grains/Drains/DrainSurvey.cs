namespace Architekt.Fabric.Grains;

/// <summary>Looks at the fabric for a drain.</summary>
internal sealed class DrainSurvey(IVmStore vms, IHostStore hosts, IOperationStore operations, HostLocator locator)
{
    /// <summary>What is on the host, and what is free elsewhere.</summary>
    /// <param name="plan">The drain.</param>
    /// <param name="own">Operations of the drain's own moves, whose claims it keeps count of itself.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public async Task<DrainView> LookAsync(DrainPlan plan, IReadOnlySet<string> own, CancellationToken cancellationToken)
    {
        // Before the VMs are listed: one that arrives in between is among them, and one that was seen to be under way is waited for.
        var isExpecting = (await IncomingAsync(plan.Host, cancellationToken)).Count > 0;
        var all = await vms.ListAsync(host: null, cancellationToken);
        var free = new Dictionary<string, long>();
        foreach (var host in await hosts.ListAsync(cancellationToken))
        {
            if (host.Name == plan.Host || host.IsCordoned || !locator.IsAlive(host.Name)) continue;
            if (plan.Options.To is { Count: > 0 } wanted && !wanted.Contains(host.Name)) continue;

            // The host itself decides, when a migration is checked; this only keeps a drain from asking in vain. VMs that have ended hold no memory.
            var coming = (await IncomingAsync(host.Name, cancellationToken)).Where(operation => !own.Contains(operation.Id)).Select(operation => operation.Vm).ToHashSet();
            free[host.Name] = host.MemoryBytes - all.Where(vm => !vm.Info.HasEnded() && (vm.Info.Host == host.Name || coming.Contains(vm.Info.Name))).Sum(vm => vm.Info.MemoryBytes);
        }

        return new DrainView(
            [.. all.Where(vm => vm.Info.Host == plan.Host).Select(vm => vm.Info)],
            free,
            locator.IsAlive(plan.Host),
            isExpecting);
    }

    private async Task<IReadOnlyList<OperationInfo>> IncomingAsync(string host, CancellationToken cancellationToken) =>
        [.. (await operations.ListUnfinishedAsync(host, cancellationToken)).Where(operation => operation.Kind == OperationKinds.Migrate && operation.Destination == host)];
}
