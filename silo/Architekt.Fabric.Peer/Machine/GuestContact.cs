using Architekt.Fabric.Agents;
using Architekt.Fabric.Peer.Hosting;

namespace Architekt.Fabric.Peer.Machine;

/// <summary>Speaks to the agents in the guest. A guest without one is not asked, one that does not answer is not waited for.</summary>
internal sealed class GuestContact(VmMachine machine, bool hasAgent, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan SuspendTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan PingTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ResumeTimeout = TimeSpan.FromSeconds(10);
    private AgentClient? _suspended;

    /// <summary>Waits for the guest to say that it is up.</summary>
    public Task WaitUntilLiveAsync(CancellationToken cancellationToken) =>
        hasAgent ? LivenessListener.WaitAsync(machine.LivenessSocketPath, cancellationToken) : Task.CompletedTask;

    /// <summary>Asks the guest to get ready to stop. Throws a refusal when it says no.</summary>
    public async Task BeforeSuspendAsync(CancellationToken cancellationToken)
    {
        if (!hasAgent) return;
        AgentClient? agent = null;
        try
        {
            agent = await AgentClient.ConnectAsync(machine.AgentSocket, time, cancellationToken);
            await agent.PingAsync(PingTimeout, cancellationToken);
            await agent.BeforeSuspendAsync(SuspendTimeout, cancellationToken);
            _suspended = agent;
        }
        catch (AgentException error)
        {
            if (error.Kind is AgentExceptionKind.Veto or AgentExceptionKind.HookTimeout or AgentExceptionKind.Failed)
            {
                await TellResumedAsync(agent!);
                await agent!.DisposeAsync();
                throw PeerException.Refused(error.Message);
            }

            // A guest that cannot be asked has no say: it is moved as a machine without an agent would be.
            PeerLog.AgentFailed(logger, "answer before the suspend", error.Message);
            if (agent is not null) await agent.DisposeAsync();
        }
    }

    /// <summary>Leaves the agent of a guest that goes on elsewhere.</summary>
    public async Task ForgetAsync()
    {
        if (Interlocked.Exchange(ref _suspended, null) is { } agent) await agent.DisposeAsync();
    }

    /// <summary>Tells a guest that was asked to get ready that it goes on here after all.</summary>
    public async Task AfterRollBackAsync()
    {
        if (Interlocked.Exchange(ref _suspended, null) is not { } agent) return;
        await TellResumedAsync(agent);
        await agent.DisposeAsync();
    }

    /// <summary>Tells a guest that came from elsewhere that it runs again, and before that who it is, as far as others do not hear that.</summary>
    public async Task AfterResumeAsync(GuestIdentity? identity, CancellationToken cancellationToken)
    {
        if (!hasAgent) return;
        try
        {
            await using var agent = await AgentClient.ConnectAsync(machine.AgentSocket, time, cancellationToken);

            // A random UUID, as machine-id(5) has it.
            var machineId = identity is { Fresh: true } ? Guid.NewGuid().ToString("N") : null;
            if (identity?.Hostname is not null || machineId is not null)
                await TakeIdentityAsync(agent, new AgentIdentity(identity!.Hostname, Mac: null, Address: null, Gateway: null, machineId), cancellationToken);
            await TellResumedAsync(agent);
        }
        catch (AgentException error)
        {
            PeerLog.AgentFailed(logger, "take the news of its resume", error.Message);
        }
    }

    /// <summary>
    /// Tells a guest that came out of a package what others hear of it, and what time it is; all else has time until its clients have been answered. One whose agent is older than the call goes
    /// on as it is.
    /// </summary>
    public async Task IntroduceAsync(GuestIdentity identity, string? mac, CancellationToken cancellationToken)
    {
        if (!hasAgent) return;
        try
        {
            await using var agent = await AgentClient.ConnectAsync(machine.AgentSocket, time, cancellationToken);
            await TakeIdentityAsync(
                agent, new AgentIdentity(Hostname: null, identity.Fresh ? mac : null, identity.Address, identity.Gateway, MachineId: null), cancellationToken);
        }
        catch (AgentException error)
        {
            PeerLog.AgentFailed(logger, "take its identity", error.Message);
        }
    }

    private async Task TakeIdentityAsync(AgentClient agent, AgentIdentity identity, CancellationToken cancellationToken)
    {
        try
        {
            await agent.TakeIdentityAsync(identity, time.GetUtcNow(), ResumeTimeout, cancellationToken);
        }
        catch (AgentException error)
        {
            PeerLog.AgentFailed(logger, "take its identity", error.Message);
        }
    }

    private async Task TellResumedAsync(AgentClient agent)
    {
        try
        {
            await agent.AfterResumeAsync(time.GetUtcNow(), ResumeTimeout, CancellationToken.None);
        }
        catch (AgentException error)
        {
            PeerLog.AgentFailed(logger, "act on its resume", error.Message);
        }
    }
}
