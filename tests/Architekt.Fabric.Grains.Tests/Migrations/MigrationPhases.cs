using Architekt.Fabric.Grains.Tests.Fakes;

namespace Architekt.Fabric.Grains.Tests.Migrations;

/// <summary>How to hold a migration in each phase. A phase that is new has no line here, and every test over the phases fails until it has.</summary>
internal static class MigrationPhases
{
    public static TheoryData<MigrationPhase> All => [.. Enum.GetValues<MigrationPhase>()];

    /// <summary>The call on a host or on Postgres in which a migration of <paramref name="vm"/> is held; the first one only, so that the next migration passes. Null: it has ended.</summary>
    public static Gate? Hold(FakeWorld world, string vm, MigrationPhase phase)
    {
        switch (phase)
        {
            case MigrationPhase.Check: return Once(world, vm, "CheckDestination");
            case MigrationPhase.Prepare: return Once(world, vm, "Prepare");
            case MigrationPhase.Copy: return Once(world, vm, "StartCopy");
            case MigrationPhase.Suspend: return Once(world, vm, "Suspend");
            case MigrationPhase.Switch: return Once(world, vm, "Switch");
            case MigrationPhase.Commit: return Once(world, vm, "Commit");
            case MigrationPhase.Run: return Once(world, vm, "Run");
            case MigrationPhase.Clean: return Once(world, vm, "Release");
            case MigrationPhase.RollBack:
                world.Throw(vm, "StartCopy", new FabricException(FabricErrorCode.Failed, "the wire broke"), times: 1);
                return Once(world, vm, "RollBack");
            case MigrationPhase.Done: return null;
            default: throw new NotSupportedException($"Nobody has said how to hold a migration in phase {phase}.");
        }
    }

    private static Gate Once(FakeWorld world, string vm, string method)
    {
        var gate = new Gate();
        world.Script(vm, method, async call =>
        {
            if (call.Attempt == 1) await gate.PassAsync(call.Cancelled);
            return null;
        });
        return gate;
    }
}
