using System.Runtime.CompilerServices;
using Architekt.Fabric.Client;
using Architekt.Fabric.Packages;

namespace Architekt.Fabric.Cli.Tests.Fakes;

/// <summary>A fabric in memory, through the client's own mocking surface.</summary>
internal sealed class FakeFabric : FabricClient
{
    public List<HostInfo> Hosts { get; } = [];

    public List<PackageInfo> Packages { get; } = [];

    public List<VmInfo> Vms { get; } = [];

    public List<OperationInfo> Operations { get; } = [];

    public List<FabricEvent> Events { get; } = [];

    public List<MigrationProgress> Reports { get; } = [];

    public List<DrainProgress> DrainReports { get; } = [];

    public DrainOptions? DrainOptions { get; private set; }

    public List<string> Calls { get; } = [];

    public List<byte> Typed { get; } = [];

    public byte[] Log { get; set; } = [];

    /// <summary>Thrown by every call, if set.</summary>
    public Exception? Fault { get; set; }

    /// <summary>Thrown after the reports were watched, if set.</summary>
    public Exception? WatchFault { get; set; }

    /// <summary>Called when the reports are used up; the watch then waits to be cancelled.</summary>
    public Action? ReportsUsedUp { get; set; }

    /// <summary>Called when the events are used up; the watch then waits to be cancelled.</summary>
    public Action? EventsUsedUp { get; set; }

    public VmSpec? Spec { get; private set; }

    public PackageRecipe? Recipe { get; private set; }

    /// <summary>How checkpoints end; without one they go on until they are cancelled.</summary>
    public CheckpointResult? Checkpoint { get; set; }

    /// <summary>Called when a checkpoint is waited for that has no end.</summary>
    public Action? CheckpointAwaited { get; set; }

    public VmUsage? Usage { get; set; }

    public MigrationOptions? Options { get; private set; }

    public int LogPieceBytes { get; set; } = 1000;

    public VmOwner? Owner { get; set; }

    public List<OwnershipEntry> History { get; } = [];

    public override Task<VmOwner> GetVmOwnerAsync(string name, CancellationToken cancellationToken = default) => Answer(Owner!);

    public override Task<IReadOnlyList<OwnershipEntry>> ReadVmHistoryAsync(string name, int limit = 1000, CancellationToken cancellationToken = default) =>
        Answer<IReadOnlyList<OwnershipEntry>>([.. History.TakeLast(limit)]);

    public override Task<HostDeath> DeclareHostDeadAsync(string host, CancellationToken cancellationToken = default)
    {
        Calls.Add($"declare {host} dead");
        return Answer(new HostDeath(host, ["one", "two"], ["two"]));
    }

    public override Task<IReadOnlyList<HostInfo>> ListHostsAsync(CancellationToken cancellationToken = default) => Answer<IReadOnlyList<HostInfo>>(Hosts);

    public override Task<HostInfo> CordonHostAsync(string host, CancellationToken cancellationToken = default) => CordonAsync(host, isCordoned: true);

    public override Task<HostInfo> UncordonHostAsync(string host, CancellationToken cancellationToken = default) => CordonAsync(host, isCordoned: false);

    public override Task<DrainOperation> DrainHostAsync(
        string host, DrainOptions? options = null, string? operationId = null, CancellationToken cancellationToken = default)
    {
        Calls.Add($"drain {host} as {operationId ?? "?"}");
        DrainOptions = options;
        return Answer(GetDrain(operationId ?? "op-1"));
    }

    public override DrainOperation GetDrain(string id) => new FakeDrain(this, id);

    public override Task<DrainResult?> FindDrainResultAsync(string id, CancellationToken cancellationToken = default) =>
        Answer(DrainReports.Find(report => report.Result?.Operation == id)?.Result);

    public override Task<CheckpointResult?> FindCheckpointResultAsync(string id, CancellationToken cancellationToken = default) => Answer(Checkpoint);

    public override Task<IReadOnlyList<PackageInfo>> ListPackagesAsync(string host, CancellationToken cancellationToken = default) =>
        Answer<IReadOnlyList<PackageInfo>>([.. Packages.Where(package => package.Host == host)]);

    public override Task<PackageInfo?> FindPackageAsync(string host, string name, CancellationToken cancellationToken = default) =>
        Answer(Packages.Find(package => package.Host == host && package.Name == name));

    public override Task<PackageInfo> ImportPackageAsync(
        string host, string path, string name, IProgress<PackageImport>? progress = null, CancellationToken cancellationToken = default)
    {
        Calls.Add($"import {path} as {name} on {host}");
        progress?.Report(new PackageImport(false, 50, 100, null, null, null));
        return Answer(Packages.First());
    }

    public override Task<PackageInfo> UploadPackageAsync(
        string host, string path, string name, IProgress<PackageImport>? progress = null, CancellationToken cancellationToken = default)
    {
        Calls.Add($"upload {path} as {name} to {host}");
        progress?.Report(new PackageImport(false, 50, 100, null, null, null));
        return Answer(Packages.First());
    }

    public override Task<PackageInfo> PullPackageAsync(
        string host, string reference, string? name = null, IProgress<PackageImport>? progress = null, CancellationToken cancellationToken = default)
    {
        Calls.Add($"pull {reference} as {name ?? "?"} to {host}");
        progress?.Report(new PackageImport(false, 50, 100, null, null, null));
        return Answer(Samples.Package(reference, host));
    }

    public override Task<PackageInfo> TagPackageAsync(
        string host, string reference, string name, bool move = false, CancellationToken cancellationToken = default)
    {
        Calls.Add($"tag {reference} as {name} on {host} move={move}");
        return Answer(Samples.Package(name, host));
    }

    public override Task<string> UntagPackageAsync(string host, string name, CancellationToken cancellationToken = default)
    {
        Calls.Add($"untag {name} on {host}");
        return Answer("sha256-" + new string('a', 64));
    }

    public override Task DeletePackageAsync(string host, string reference, CancellationToken cancellationToken = default)
    {
        Calls.Add($"delete {reference} on {host}");
        return Answer(true);
    }

    public override Task<PackageCleaning> CollectPackagesAsync(string host, CancellationToken cancellationToken = default)
    {
        Calls.Add($"collect {host}");
        return Answer(new PackageCleaning(host, ["sha256-" + new string('c', 64)], [], 3 << 20));
    }

    public override Task<ArkInfo> ExportPackageAsync(
        string host,
        string reference,
        string path,
        ArkWriteOptions? options = null,
        IProgress<PackageProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        Calls.Add($"export {reference} of {host} to {path} level={options?.Level} overwrite={options?.Overwrite}");
        return Answer(new ArkInfo(path, 4096, "sha256-" + new string('a', 64), null!, []));
    }

    public override Task<VmInfo> RunVmAsync(VmSpec spec, CancellationToken cancellationToken = default)
    {
        Spec = spec;
        return Answer(Samples.Vm(spec.Name, VmState.Booting));
    }

    public override Task<VmInfo?> FindVmAsync(string name, CancellationToken cancellationToken = default) => Answer(Vms.Find(vm => vm.Name == name));

    public override async Task<VmInfo> InspectVmAsync(string name, CancellationToken cancellationToken = default) =>
        await GetVmAsync(name, cancellationToken) with { Usage = Usage };

    public override Task<VmInfo> StartVmAsync(string name, CancellationToken cancellationToken = default)
    {
        Calls.Add($"start {name}");
        return Answer(Samples.Vm(name, VmState.Booting));
    }

    public override Task<CheckpointOperation> CheckpointVmAsync(
        string vm, string package, bool keepRunning = true, string? operationId = null, CancellationToken cancellationToken = default)
    {
        Calls.Add($"checkpoint {vm} as {package} keep={keepRunning} operation={operationId ?? "?"}");
        return Answer(GetCheckpoint(operationId ?? "op-1"));
    }

    public override CheckpointOperation GetCheckpoint(string id) => new FakeCheckpoint(this, id);

    public override Task<CheckpointResult> CreatePackageAsync(PackageRecipe recipe, CancellationToken cancellationToken = default)
    {
        Recipe = recipe;
        return Answer(Checkpoint!);
    }

    public override Task<IReadOnlyList<VmInfo>> ListVmsAsync(CancellationToken cancellationToken = default) => Answer<IReadOnlyList<VmInfo>>(Vms);

    public override Task<VmInfo> StopVmAsync(string name, bool force = false, CancellationToken cancellationToken = default)
    {
        Calls.Add($"stop {name} force={force}");
        return Answer(Samples.Vm(name, force ? VmState.Stopped : VmState.Stopping));
    }

    public override Task DeleteVmAsync(string name, bool force = false, CancellationToken cancellationToken = default)
    {
        Calls.Add($"delete {name} force={force}");
        return Answer(true);
    }

    public override Task<VmInfo> WaitForVmAsync(string name, VmState state, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        Calls.Add($"wait {name} {state} {timeout}");
        return Vms.Find(vm => vm.Name == name && vm.State == state) is { } vm
            ? Answer(vm)
            : Task.FromException<VmInfo>(new FabricException(FabricErrorCode.Timeout, $"VM '{name}' was not there in time.", isTransient: true));
    }

    public override Task<VmLog> ReadLogAsync(string name, long offset, TimeSpan wait = default, CancellationToken cancellationToken = default)
    {
        var start = (int)(offset < 0 ? Math.Max(0, Log.Length + offset) : Math.Min(offset, Log.Length));
        var end = Math.Min(Log.Length, start + LogPieceBytes);
        return Answer(new VmLog(Log[start..end], end, 1));
    }

    public override async IAsyncEnumerable<VmLog> FollowLogAsync(
        string name, long offset = 0, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        if (offset < Log.Length) yield return new VmLog(Log[(int)Math.Max(offset, 0)..], Log.Length, 1);
        yield return new VmLog("on the new host\n"u8.ToArray(), 16, 2);
    }

    public override Task WriteConsoleAsync(string name, ReadOnlyMemory<byte> data, CancellationToken cancellationToken = default)
    {
        Typed.AddRange(data.ToArray());
        return Answer(true);
    }

    public override VmConsole AttachConsole(string name) => new FakeConsole(this, name);

    public override Task<MigrationOperation> StartMigrationAsync(
        string vm, string destination, MigrationOptions? options = null, string? operationId = null, CancellationToken cancellationToken = default)
    {
        Calls.Add($"migrate {vm} to {destination} as {operationId ?? "?"}");
        Options = options;
        var info = Samples.Operation(operationId ?? "op-1", vm: vm, destination: destination);
        return Answer<MigrationOperation>(new FakeOperation(this, info.Id, info));
    }

    public override MigrationOperation GetOperation(string id) => new FakeOperation(this, id, null);

    public override Task<OperationInfo?> FindOperationAsync(string id, CancellationToken cancellationToken = default) =>
        Answer(Operations.Find(operation => operation.Id == id));

    public override Task<MigrationResult?> FindMigrationResultAsync(string id, CancellationToken cancellationToken = default) =>
        Answer(Reports.Find(report => report.Result?.Operation == id)?.Result);

    public override Task<IReadOnlyList<OperationInfo>> ListOperationsAsync(
        string? vm = null, int limit = 50, bool onlyRunning = false, CancellationToken cancellationToken = default)
    {
        Calls.Add($"operations vm={vm} limit={limit}{(onlyRunning ? " running" : "")}");
        return Answer<IReadOnlyList<OperationInfo>>(Operations);
    }

    public override Task<IReadOnlyList<FabricEvent>> ReadEventsAsync(long afterSequence = -1, int limit = 100, CancellationToken cancellationToken = default) =>
        Answer<IReadOnlyList<FabricEvent>>(
            afterSequence < 0 ? [.. Events.TakeLast(limit)] : [.. Events.Where(happened => happened.Sequence > afterSequence).Take(limit)]);

    public override async IAsyncEnumerable<FabricEvent> WatchEventsAsync(
        long afterSequence = -1, int backlog = 0, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (var happened in Events.Where(happened => happened.Sequence > afterSequence)) yield return happened;
        EventsUsedUp?.Invoke();
        await Task.Delay(Timeout.Infinite, cancellationToken);
    }

    private Task<HostInfo> CordonAsync(string host, bool isCordoned)
    {
        Calls.Add($"{(isCordoned ? "cordon" : "uncordon")} {host}");
        return Answer(Samples.Host(host) with { IsCordoned = isCordoned });
    }

    private Task<T> Answer<T>(T value) => Fault is { } fault ? Task.FromException<T>(fault) : Task.FromResult(value);

    private sealed class FakeOperation(FakeFabric fabric, string id, OperationInfo? started) : MigrationOperation(id, started)
    {
        public override async Task<OperationInfo> GetInfoAsync(CancellationToken cancellationToken = default) =>
            await fabric.FindOperationAsync(Id, cancellationToken) ?? throw FabricException.NotFound($"There is no operation '{Id}'.");

        public override async IAsyncEnumerable<MigrationProgress> WatchAsync(
            long afterSequence = 0, [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            foreach (var report in fabric.Reports) yield return report;
            if (fabric.WatchFault is { } fault) throw fault;
            fabric.ReportsUsedUp?.Invoke();
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }

        public override Task CancelAsync(CancellationToken cancellationToken = default)
        {
            fabric.Calls.Add($"cancel {Id}");
            return fabric.Answer(true);
        }
    }

    private sealed class FakeDrain(FakeFabric fabric, string id) : DrainOperation(id)
    {
        public override async IAsyncEnumerable<DrainProgress> WatchAsync(
            long afterSequence = 0, [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            foreach (var report in fabric.DrainReports) yield return report;
            if (fabric.WatchFault is { } fault) throw fault;
            fabric.ReportsUsedUp?.Invoke();
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }

        public override Task CancelAsync(CancellationToken cancellationToken = default)
        {
            fabric.Calls.Add($"cancel drain {Id}");
            return fabric.Answer(true);
        }
    }

    private sealed class FakeCheckpoint(FakeFabric fabric, string id) : CheckpointOperation(id)
    {
        public override async Task<CheckpointResult> WaitForCompletionAsync(CancellationToken cancellationToken = default)
        {
            if (fabric.Checkpoint is not null) return await fabric.Answer(fabric.Checkpoint);
            fabric.CheckpointAwaited?.Invoke();
            await Task.Delay(Timeout.Infinite, cancellationToken);
            throw new InvalidOperationException("Nobody waits that long.");
        }

        public override Task CancelAsync(CancellationToken cancellationToken = default)
        {
            fabric.Calls.Add($"cancel checkpoint {Id}");
            return fabric.Answer(true);
        }
    }

    private sealed class FakeConsole(FakeFabric fabric, string vm) : VmConsole(vm)
    {
        public override async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(
            int backlogBytes = 0, [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            yield return "login: "u8.ToArray();
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }

        public override Task WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken = default) =>
            fabric.WriteConsoleAsync(Vm, data, cancellationToken);
    }
}
