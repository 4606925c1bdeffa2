using System.Collections.Concurrent;
using Architekt.Fabric.Grains.Tests.Fakes;
using Microsoft.Extensions.DependencyInjection;

namespace Architekt.Fabric.Grains.Tests.Migrations;

public sealed class MigrationGateTests
{
    [Fact]
    public async Task Migrate_WithAGate_IsHeldBeforeTheActAndPassesEachInOrder()
    {
        var gate = new HoldingGate(MigrationAct.Commit);
        await using var cluster = await FabricCluster.StartAsync(2, silo => silo.Services.AddSingleton<IMigrationGate>(gate));
        var vm = cluster.AddVm();

        var operation = await cluster.MigrateAsync(vm);
        await gate.Reached.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.Equal(("host-a", 1L), (cluster.Row(vm).Host, cluster.Row(vm).Epoch));
        Assert.DoesNotContain("db:Commit", cluster.World.Journal(vm));

        gate.Open();
        Assert.Equal(OperationOutcome.Succeeded, (await cluster.ResultAsync(operation.Id)).Outcome);
        MigrationAct[] all =
        [
            MigrationAct.Check, MigrationAct.Prepare, MigrationAct.Copy, MigrationAct.Suspend, MigrationAct.Switch, MigrationAct.Commit, MigrationAct.Run,
            MigrationAct.Clean, MigrationAct.End,
        ];
        Assert.Equal(all, gate.Passed);
    }

    private sealed class HoldingGate(MigrationAct held) : IMigrationGate
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ConcurrentQueue<MigrationAct> Passed { get; } = new();

        public Task Reached => _reached.Task;

        public void Open() => _open.SetResult();

        public async Task PassAsync(string operation, MigrationAct act)
        {
            Passed.Enqueue(act);
            if (act != held) return;
            _reached.SetResult();
            await _open.Task;
        }
    }
}
