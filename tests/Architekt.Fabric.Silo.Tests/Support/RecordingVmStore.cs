using Architekt.Fabric.Grains;

namespace Architekt.Fabric.Silo.Tests.Support;

/// <summary>A store that knows which epoch is a VM's, and notes what was recorded.</summary>
internal sealed class RecordingVmStore(long currentEpoch) : IVmStore
{
    private readonly Lock _lock = new();
    private readonly List<(string Vm, long Epoch, VmState State, string? Reason)> _recorded = [];
    private readonly List<long> _refused = [];

    /// <summary>The VMs there are; null where nobody may ask.</summary>
    public IReadOnlyList<VmRecord>? Owned { get; set; }

    /// <summary>The host that owns every VM.</summary>
    public string Owner { get; set; } = "host-a";

    /// <summary>The operation every VM is in the middle of; null for none.</summary>
    public string? Operation { get; set; }

    /// <summary>How many more calls fail as if Postgres were away.</summary>
    public int Outages { get; set; }

    public IReadOnlyList<(string Vm, long Epoch, VmState State, string? Reason)> Recorded
    {
        get
        {
            lock (_lock) return [.. _recorded];
        }
    }

    public IReadOnlyList<long> Refused
    {
        get
        {
            lock (_lock) return [.. _refused];
        }
    }

    public Task<bool> SetStateAsync(string vm, long epoch, VmState state, string? reason, string? message, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (Outages-- > 0) throw FabricException.Unavailable("Postgres is away.");
            if (epoch != currentEpoch)
            {
                _refused.Add(epoch);
                return Task.FromResult(false);
            }

            _recorded.Add((vm, epoch, state, reason));
            return Task.FromResult(true);
        }
    }

    /// <summary>Every VM is still booting; nobody here asks for more.</summary>
    public Task<VmRecord?> FindAsync(string vm, CancellationToken cancellationToken) => Task.FromResult<VmRecord?>(new VmRecord(
        new VmInfo(vm, VmState.Booting, null, Owner, currentEpoch, "package", "sha256-0", 1, 1 << 20, null, Operation, default, default), null!));

    public Task<IReadOnlyList<VmRecord>> ListAsync(string? host, CancellationToken cancellationToken) =>
        Owned is { } owned ? Task.FromResult<IReadOnlyList<VmRecord>>([.. owned.Where(vm => vm.Info.Host == host)]) : throw Unexpected();

    public Task CreateAsync(VmRecord vm, CancellationToken cancellationToken) => throw Unexpected();

    public Task<bool> DeleteAsync(string vm, long epoch, CancellationToken cancellationToken) => throw Unexpected();

    public Task<CommitOutcome> CommitAsync(MigrationPlan plan, CancellationToken cancellationToken) => throw Unexpected();

    public Task<WithdrawOutcome> WithdrawAsync(MigrationPlan plan, CancellationToken cancellationToken) => throw Unexpected();

    public Task<CommitOutcome> RehearseCommitAsync(MigrationPlan plan, CancellationToken cancellationToken) => throw Unexpected();

    private static InvalidOperationException Unexpected() => new("A supervisor has no business asking this.");
}
