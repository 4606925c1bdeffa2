namespace Architekt.Fabric.Integration.Tests;

/// <summary>Postgres is away, away from one host, or slow, while a guest moves. Each test begins and ends with the guest running somewhere.</summary>
public sealed class PostgresFaultTests(TwoHosts hosts) : IClassFixture<TwoHosts>
{
    /// <summary>Slow enough to act in the middle of a copy: about 5 s for this guest.</summary>
    private static readonly MigrationOptions Slow = new(BandwidthBytesPerSecond: 20 << 20);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public enum Cut
    {
        Source,
        Destination,
        Both,
    }

    [Theory]
    [InlineData(Cut.Source)]
    [InlineData(Cut.Destination)]
    [InlineData(Cut.Both)]
    public async Task PostgresGone_WhileCopying_GuestRunsOnAndTheMigrationEndsOneWay(Cut cut)
    {
        hosts.Require();
        var before = await hosts.Fabric.GetVmAsync(TwoHosts.Vm, Token);
        var (source, destination) = (hosts.Of(before.Host), hosts.Of(hosts.Other(before.Host)));
        var ways = new[] { source, destination }.Where(host => cut == Cut.Both || host == (cut == Cut.Source ? source : destination)).Select(hosts.PostgresOf).ToList();
        var migration = await hosts.Fabric.StartMigrationAsync(TwoHosts.Vm, destination.Name, Slow, cancellationToken: Token);
        await TwoHosts.UntilCopyingAsync(migration, Token);

        ways.ForEach(static way => way.Cut());
        try
        {
            await hosts.AssertGuestAnswersAsync(before, Token);
            var refusal = await Assert.ThrowsAsync<FabricException>(
                () => hosts.Fabric.StartMigrationAsync(TwoHosts.Vm, destination.Name, Slow, cancellationToken: Token));

            // The VM's grain is at the source, which says either that it cannot look, or what it sees there.
            Assert.Equal(cut == Cut.Destination ? FabricErrorCode.Conflict : FabricErrorCode.Unavailable, refusal.Code);
        }
        finally
        {
            ways.ForEach(static way => way.Mend());
        }

        var result = await migration.WaitForCompletionAsync(Token);
        var after = await hosts.Fabric.GetVmAsync(TwoHosts.Vm, Token);
        Assert.Equal((result.RunsOn, result.Epoch, VmState.Running), (after.Host, after.Epoch, after.State));
        Assert.Equal(result.Outcome == OperationOutcome.Succeeded, after.Host == destination.Name);
        await hosts.AssertGuestAnswersAsync(after, Token);
        await TwoHosts.UntilAsync(
            () => Task.FromResult(TwoHosts.Instances(hosts.Of(after.Host)).SequenceEqual([$"{TwoHosts.Vm}.{after.Epoch}"])
                && TwoHosts.Instances(hosts.Of(hosts.Other(after.Host))).Count == 0),
            "nothing is left of the migration on either host",
            Token);
        await MigrateAsync(hosts.Other(after.Host));
    }

    [Fact]
    public async Task PostgresSlow_TheGuestMovesAllTheSame()
    {
        hosts.Require();
        var before = await hosts.Fabric.GetVmAsync(TwoHosts.Vm, Token);
        foreach (var host in new[] { hosts.HostA, hosts.HostB }) hosts.PostgresOf(host).Delay = TimeSpan.FromMilliseconds(100);
        try
        {
            var result = await MigrateAsync(hosts.Other(before.Host));

            // There and back again, so that it was the commit that was slow.
            Assert.True(result.Pause!.CommitMs >= 200, $"The commit took {result.Pause.CommitMs} ms.");
        }
        finally
        {
            foreach (var host in new[] { hosts.HostA, hosts.HostB }) hosts.PostgresOf(host).Delay = TimeSpan.Zero;
        }
    }

    private async Task<MigrationResult> MigrateAsync(string destination)
    {
        var migration = await hosts.Fabric.StartMigrationAsync(TwoHosts.Vm, destination, cancellationToken: Token);
        var result = await migration.WaitForCompletionAsync(Token);
        Assert.True(result.Outcome == OperationOutcome.Succeeded, result.Reason);
        await hosts.AssertGuestAnswersAsync(await hosts.Fabric.GetVmAsync(TwoHosts.Vm, Token), Token);
        return result;
    }
}
