using System.Text;
using Microsoft.Extensions.Logging;

namespace Architekt.Fabric.Grains;

/// <summary>
/// The VM that lives only for a package to be made of it, on its own host. What the silo leaves behind if it ends in the middle is removed by the host's reconciler, which knows such a
/// VM by its name.
/// </summary>
internal sealed partial class TemporaryVm(IHostRuntime runtime, IVmStore vms, TimeProvider time, ILogger<TemporaryVm> logger)
{
    private const int ConsoleBytes = 4096;
    private const int ConsoleLines = 10;
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(250);

    /// <summary>Starts it and waits until its guest says that it is up. Throws, with the end of its console, if it does not.</summary>
    public async Task BringUpAsync(CheckpointPlan plan, TemporaryStart temporary, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        var limit = TimeSpan.FromMilliseconds(temporary.TimeoutMs);

        // Before it is started, because it may be up before this would be recorded.
        await vms.SetStateAsync(plan.Vm, plan.Epoch, VmState.Booting, null, $"'{plan.Vm}' is started on '{plan.Host}'", cancellationToken);
        await runtime.StartAsync(new VmInstance(plan.Vm, plan.Epoch, plan.Machine, temporary.Start), cancellationToken);
        if (plan.Machine.HasMemory)
        {
            // It said so when it was packaged.
            await vms.SetStateAsync(plan.Vm, plan.Epoch, VmState.Running, null, null, cancellationToken);
            return;
        }

        while (true)
        {
            var state = await FindStateAsync(plan, cancellationToken);
            if (state == VmState.Running) return;
            if (state is VmState.Stopped or VmState.Failed)
                throw await NotUpAsync(plan, FabricErrorCode.Failed, "ended before it was up", cancellationToken);
            if (time.GetElapsedTime(began) > limit)
                throw await NotUpAsync(plan, FabricErrorCode.Timeout, $"did not say within {limit.TotalSeconds:0.###} seconds that it is up", cancellationToken);
            await Task.Delay(LookAgain, time, cancellationToken);
        }
    }

    /// <summary>Ends it and removes what it has left on the host; not its row, which the checkpoint still holds.</summary>
    public async Task EndAsync(CheckpointPlan plan)
    {
        try
        {
            await runtime.RemoveAsync(plan.Vm, plan.Epoch, CancellationToken.None);
        }
        catch (FabricException error)
        {
            LogNotRemoved(plan.Vm, error.Message);
        }
    }

    /// <summary>Forgets it, after its checkpoint has ended.</summary>
    public async Task ForgetAsync(CheckpointPlan plan)
    {
        try
        {
            await vms.DeleteAsync(plan.Vm, plan.Epoch, CancellationToken.None);
        }
        catch (FabricException error)
        {
            LogNotRemoved(plan.Vm, error.Message);
        }
    }

    /// <summary>Null while it cannot be asked: that Postgres is away for a moment is no reason to give a guest up.</summary>
    private async Task<VmState?> FindStateAsync(CheckpointPlan plan, CancellationToken cancellationToken)
    {
        try
        {
            return (await vms.FindAsync(plan.Vm, cancellationToken))?.Info.State ?? VmState.Failed;
        }
        catch (FabricException error) when (error.IsTransient)
        {
            return null;
        }
    }

    private async Task<FabricException> NotUpAsync(CheckpointPlan plan, FabricErrorCode code, string what, CancellationToken cancellationToken) => new(
        code, $"the guest of '{plan.Machine.Package}' {what}. Its console ended with: {await LastWordsAsync(plan, cancellationToken)}");

    private async Task<string> LastWordsAsync(CheckpointPlan plan, CancellationToken cancellationToken)
    {
        try
        {
            var log = await runtime.ReadLogAsync(plan.Vm, plan.Epoch, -ConsoleBytes, waitMs: 0, cancellationToken);
            var lines = Encoding.UTF8.GetString(log.Data).Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            return lines.Length == 0 ? "nothing" : string.Join(" | ", lines.TakeLast(ConsoleLines));
        }
        catch (FabricException error)
        {
            return $"it could not be read ({error.Message})";
        }
    }

    [LoggerMessage(1403, LogLevel.Warning, "The VM {Vm}, which was only there to make a package, could not be removed; it is tried again: {Reason}")]
    private partial void LogNotRemoved(string vm, string reason);
}
