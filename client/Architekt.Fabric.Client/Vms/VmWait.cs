namespace Architekt.Fabric.Client.Vms;

/// <summary>Waits for a VM's state by looking at it again and again.</summary>
internal sealed class VmWait(FabricClientOptions options, Func<CancellationToken, Task<VmInfo?>> find)
{
    public async Task<VmInfo> WaitAsync(string name, VmState state, TimeSpan timeout, CancellationToken cancellationToken)
    {
        if (state == VmState.Unknown) throw FabricException.Invalid("'unknown' is not a state to wait for.");
        var time = options.TimeProvider;
        var startedAt = time.GetTimestamp();
        VmInfo? vm = null;
        FabricException? lastError = null;
        while (true)
        {
            try
            {
                vm = await find(cancellationToken).ConfigureAwait(false);
                lastError = null;
                if (vm is null && state is VmState.Stopping or VmState.Stopped or VmState.Failed)
                    throw FabricException.NotFound($"There is no VM named '{name}'.");
                if (vm is not null && IsReached(vm.State, state)) return vm;
                if (vm is not null && IsLost(vm.State, state)) throw Lost(vm, state);
            }
            catch (FabricException error) when (error.IsTransient)
            {
                lastError = error;
            }

            if (time.GetElapsedTime(startedAt) >= timeout) throw TimedOut(name, state, timeout, vm, lastError);
            await Task.Delay(options.RetryDelay, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private static bool IsReached(VmState now, VmState wanted) => wanted switch
    {
        VmState.Starting => now is VmState.Starting or VmState.Booting or VmState.Running,
        VmState.Booting => now is VmState.Booting or VmState.Running,
        VmState.Stopping => now is VmState.Stopping or VmState.Stopped,
        _ => now == wanted,
    };

    private static bool IsLost(VmState now, VmState wanted) => wanted switch
    {
        VmState.Starting or VmState.Booting or VmState.Running => now is VmState.Stopped or VmState.Failed,
        VmState.Stopping or VmState.Stopped => now is VmState.Failed,
        _ => now is VmState.Stopped,
    };

    private static FabricException Lost(VmInfo vm, VmState wanted) => new(
        FabricErrorCode.Failed,
        $"VM '{vm.Name}' is {Word(vm.State)} on host '{vm.Host}' and will not be {Word(wanted)} by itself{(vm.Reason is null ? "." : $": {vm.Reason}")}");

    private static FabricException TimedOut(string name, VmState wanted, TimeSpan timeout, VmInfo? vm, FabricException? error)
    {
        var now = error is not null
            ? error.Message
            : vm is null ? "It does not exist." : $"It is {Word(vm.State)} on host '{vm.Host}'.";
        return new FabricException(
            error is { Code: FabricErrorCode.Unavailable } ? FabricErrorCode.Unavailable : FabricErrorCode.Timeout,
            $"VM '{name}' was not {Word(wanted)} within {timeout.TotalSeconds:0.###} seconds. {now}",
            isTransient: true,
            error);
    }

    private static string Word(VmState state) => state.ToString().ToLowerInvariant();
}
