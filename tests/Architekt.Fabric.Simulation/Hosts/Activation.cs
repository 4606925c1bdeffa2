using Architekt.Fabric.Grains;
using Architekt.Fabric.Simulation.Histories;
using Microsoft.Extensions.Logging.Abstractions;

namespace Architekt.Fabric.Simulation.Hosts;

/// <summary>One activation of a migration's grain: the real driver, kept as <c>MigrationGrain</c> keeps it.</summary>
internal sealed class Activation : IMigrationKeeper, IPackageEnsurer
{
    private readonly World _world;
    private readonly SimSilo _silo;
    private readonly string _operation;

    public Activation(World world, SimSilo silo, string operation)
    {
        _world = world;
        _silo = silo;
        _operation = operation;
        if (world.Scheduler.Trace.IsOn) world.Scheduler.Trace.Write(world.Scheduler.Now, $"   {silo.Process.Name}: activates {operation}");
        Driver = new MigrationDriver(
            operation, host => new SimHostControl(world, silo, world.MachineOf(host)), this, silo.Vms, silo.Operations, this, silo.Process.Time, NullLogger.Instance);
    }

    public MigrationDriver Driver { get; }

    public Task BegunAsync(MigrationPlan plan) => WriteAsync(() => _world.Tables.Reminders.Add(_operation));

    public async Task EndedAsync(MigrationPlan plan, bool isCommitted)
    {
        var told = (await Driver.GetAsync(CancellationToken.None)).Result?.Outcome;
        var recorded = _world.Tables.Find(_operation)!.Outcome;
        if (told != recorded) _world.Observer.Violate($"{_operation} ended as {recorded}, and its watchers were told {told}");
        await WriteAsync(() => _world.Tables.Reminders.Remove(_operation));
    }

    public void Lost()
    {
        if (_world.Scheduler.Trace.IsOn) _world.Scheduler.Trace.Write(_world.Scheduler.Now, $"   {_silo.Process.Name}: the driver of {_operation} gives up");
        if (_silo.Activations.TryGetValue(_operation, out var current) && current == this) _silo.Activations.Remove(_operation);
    }

    public Task EnsureAsync(
        string host, string reference, string? name, TimeSpan patience, Action<PackageImport>? report, CancellationToken cancellationToken) => Task.CompletedTask;

    private Task<bool> WriteAsync(Func<bool> statement) =>
        _world.Postgres.AskAsync(Point.Other, _silo.Process, _silo.Machine.Index, statement, CancellationToken.None);
}
