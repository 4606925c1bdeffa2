using System.Text;
using Architekt.Fabric.Client.Tests.Fakes;

namespace Architekt.Fabric.Client.Tests.Checkpoints;

public sealed class PackageMakerTests
{
    private static readonly PackageRecipe _recipe = new("redis", "warm", "host-a") { MemoryBytes = 512 << 20, Address = "10.0.0.5/24" };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task CreatePackageAsync_GuestComesUp_StopsItForThePackageAndRemovesTheVm()
    {
        var fabric = new ScriptedFabric();

        var result = await fabric.CreatePackageAsync(_recipe, Token);

        Assert.Equal(OperationOutcome.Succeeded, result.Outcome);
        Assert.Equal(("redis", "host-a", 512L << 20, "10.0.0.5/24"), (fabric.Spec!.Package, fabric.Spec.Host, fabric.Spec.MemoryBytes, fabric.Spec.Address));
        Assert.Equal(["run", "wait", "checkpoint warm keep=False", "delete force=True"], fabric.Calls);
    }

    [Theory]
    [InlineData(FabricErrorCode.Timeout, "did not say within 120 seconds that it is up")]
    [InlineData(FabricErrorCode.Failed, "ended before it was up")]
    public async Task CreatePackageAsync_GuestDoesNotComeUp_SaysWhatItsConsoleSaidAndRemovesTheVm(FabricErrorCode code, string what)
    {
        var fabric = new ScriptedFabric { WaitFault = new FabricException(code, "not up") };

        var error = await Assert.ThrowsAsync<FabricException>(() => fabric.CreatePackageAsync(_recipe, Token));

        Assert.Equal(code, error.Code);
        Assert.Contains(what, error.Message, StringComparison.Ordinal);
        Assert.EndsWith("line 3 | Kernel panic - not syncing", error.Message, StringComparison.Ordinal);
        Assert.Equal(["run", "wait", "delete force=True"], fabric.Calls);
    }

    [Fact]
    public async Task CreatePackageAsync_Cancelled_RemovesTheVm()
    {
        using var cancelled = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var fabric = new ScriptedFabric { Waiting = cancelled.Cancel };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fabric.CreatePackageAsync(_recipe, cancelled.Token));

        Assert.Equal(["run", "wait", "delete force=True"], fabric.Calls);
    }

    [Fact]
    public async Task CreatePackageAsync_CancelledWhileItIsWritten_CancelsThatFirst()
    {
        using var cancelled = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var fabric = new ScriptedFabric { Writing = cancelled.Cancel };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fabric.CreatePackageAsync(_recipe, cancelled.Token));

        Assert.Equal(["run", "wait", "checkpoint warm keep=False", "cancel", "delete force=True"], fabric.Calls);
    }

    [Fact]
    public async Task CreatePackageAsync_VmCannotBeRemoved_SaysSoAndWhatWentWrongFirst()
    {
        var fabric = new ScriptedFabric { WaitFault = new FabricException(FabricErrorCode.Timeout, "not up"), DeleteFault = FabricException.Unavailable("The host is away.") };

        var error = await Assert.ThrowsAsync<FabricException>(() => fabric.CreatePackageAsync(_recipe, Token));

        Assert.Equal(FabricErrorCode.Timeout, error.Code);
        Assert.Contains("Kernel panic", error.Message, StringComparison.Ordinal);
        Assert.Contains("could not be removed: The host is away.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CreatePackageAsync_NameIsTaken_DoesNotWaitForTheGuest()
    {
        var fabric = new ScriptedFabric { Taken = true };

        var error = await Assert.ThrowsAsync<FabricException>(() => fabric.CreatePackageAsync(_recipe, Token));

        Assert.Equal(FabricErrorCode.AlreadyExists, error.Code);
        Assert.Equal(["run", "delete force=True"], fabric.Calls);
    }

    private sealed class ScriptedFabric : FabricClient
    {
        public List<string> Calls { get; } = [];

        public VmSpec? Spec { get; private set; }

        public FabricException? WaitFault { get; init; }

        public Action? Waiting { get; init; }

        public Action? Writing { get; init; }

        public FabricException? DeleteFault { get; init; }

        public bool Taken { get; init; }

        public override Task<VmInfo> RunVmAsync(VmSpec spec, CancellationToken cancellationToken = default)
        {
            Calls.Add("run");
            Spec = spec;
            return Task.FromResult(Samples.Vm(spec.Name, VmState.Booting));
        }

        public override Task<PackageInfo?> FindPackageAsync(string host, string name, CancellationToken cancellationToken = default) => Task.FromResult(
            Taken ? new PackageInfo(host, name, "sha256-1", "package", "x86_64", "q35", 1, 1, 1, Samples.Start, []) : null);

        public override Task<VmInfo> WaitForVmAsync(string name, VmState state, TimeSpan timeout, CancellationToken cancellationToken = default)
        {
            Calls.Add("wait");
            Waiting?.Invoke();
            cancellationToken.ThrowIfCancellationRequested();
            return WaitFault is null ? Task.FromResult(Samples.Vm(name)) : throw WaitFault;
        }

        public override Task<VmLog> ReadLogAsync(string name, long offset, TimeSpan wait = default, CancellationToken cancellationToken = default) =>
            Task.FromResult(new VmLog(Encoding.UTF8.GetBytes("line 1\r\nline 2\r\nline 3\r\n\r\nKernel panic - not syncing\r\n"), 100, 1));

        public override Task<CheckpointOperation> CheckpointVmAsync(
            string vm, string package, bool keepRunning = true, string? operationId = null, CancellationToken cancellationToken = default)
        {
            Calls.Add($"checkpoint {package} keep={keepRunning}");
            return Task.FromResult<CheckpointOperation>(new Made(this));
        }

        public override Task DeleteVmAsync(string name, bool force = false, CancellationToken cancellationToken = default)
        {
            Calls.Add($"delete force={force}");
            return DeleteFault is null ? Task.CompletedTask : Task.FromException(DeleteFault);
        }

        private sealed class Made(ScriptedFabric fabric) : CheckpointOperation("op-1")
        {
            public override Task<CheckpointResult> WaitForCompletionAsync(CancellationToken cancellationToken = default)
            {
                fabric.Writing?.Invoke();
                cancellationToken.ThrowIfCancellationRequested();
                return Task.FromResult(new CheckpointResult("op-1", "vm", "host-a", "warm", OperationOutcome.Succeeded, null, null, 1, null, null));
            }

            public override Task CancelAsync(CancellationToken cancellationToken = default)
            {
                fabric.Calls.Add("cancel");
                throw FabricException.Conflict("It has ended already.");
            }
        }
    }
}
