namespace Architekt.Fabric.Integration.Tests;

/// <summary>Postgres is cut off from one host or both, silent, slow, or restarted: at rest, and while a migration is held where its phase says.</summary>
[Collection<SharedHosts>]
public sealed class PostgresFaultTests(TwoHosts hosts)
{
    private const string Guest = "kept";
    private const int Number = 30;

    /// <summary>What <c>fabric</c> exits with when something it depends on cannot be reached (docs/cli.md).</summary>
    private const int Unreachable = 6;

    // Longer than what a busy machine does to a guest by itself, and much shorter than Postgres is away.
    private static readonly TimeSpan LongestHiccup = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan Away = TimeSpan.FromSeconds(4);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public enum Cut
    {
        Source,
        Destination,
        Both,
    }

    [Theory]
    [InlineData(Cut.Source)]
    [InlineData(Cut.Both)]
    public async Task CutOff_AtRest_GuestRunsOnAndCommandsSayInOneSentenceWhy(Cut cut)
    {
        await using var guest = await RunGuestAsync();
        await using var there = await hosts.ConnectAsync(Token, hosts.HostA);
        await using var elsewhere = await hosts.ConnectAsync(Token, hosts.HostB);
        var gap = await guest.LongestGapAsync(async () =>
        {
            using var away = CutOff(cut, hosts.HostA, hosts.HostB);
            var began = TimeProvider.System.GetTimestamp();
            AssertSaysWhy(await Assert.ThrowsAsync<FabricException>(() => there.ListVmsAsync(Token)));
            AssertSaysWhy(await Assert.ThrowsAsync<FabricException>(() => there.StartMigrationAsync(Guest, hosts.HostB.Name, cancellationToken: Token)));
            AssertSaysWhy(await Assert.ThrowsAsync<FabricException>(() => there.StopVmAsync(Guest, cancellationToken: Token)));

            var command = await hosts.FabricAsync(["vm", "list"], Token, hosts.HostA);
            Assert.True(command is { ExitCode: Unreachable, StandardOutput: "" }, $"It exited with {command.ExitCode}: {command.StandardOutput}");
            Assert.Contains("Postgres at 127.0.0.1:", Assert.Single(command.StandardError.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);

            // Whoever asks the other host is told what is known there.
            if (cut == Cut.Source) Assert.Equal(VmState.Running, (await elsewhere.GetVmAsync(Guest, Token)).State);
            else AssertSaysWhy(await Assert.ThrowsAsync<FabricException>(() => elsewhere.GetVmAsync(Guest, Token)));
            var rest = Away - TimeProvider.System.GetElapsedTime(began);
            if (rest > TimeSpan.Zero) await Task.Delay(rest, Token);
        });

        Assert.True(gap < LongestHiccup, $"The guest stood still for {gap.TotalMilliseconds:0} ms.");
        await UntilAnsweredAsync(() => there.GetVmAsync(Guest, Token));
        Assert.Equal((VmState.Running, 1L), await StateAsync());
        await SettledAsync(guest, hosts.HostB.Name);
    }

    /// <summary>A network that drops everything says nothing either: it must be noticed by the clock.</summary>
    [Fact]
    public async Task Silent_AtRest_GuestRunsOnAndCommandsEndWithinTheirTime()
    {
        await using var guest = await RunGuestAsync();
        await using var there = await hosts.ConnectAsync(Token, hosts.HostA);
        var gap = await guest.LongestGapAsync(async () =>
        {
            hosts.PostgresOf(hosts.HostA).Silence();
            try
            {
                AssertSaysWhy(await Assert.ThrowsAsync<FabricException>(() => there.GetVmAsync(Guest, Token)));
            }
            finally
            {
                hosts.MendPostgres();
            }
        });

        Assert.True(gap < LongestHiccup, $"The guest stood still for {gap.TotalMilliseconds:0} ms.");
        await UntilAnsweredAsync(() => there.GetVmAsync(Guest, Token));
        await SettledAsync(guest, hosts.HostB.Name);
    }

    /// <summary>The destination's silo drives. Without Postgres it can begin no phase; what was begun is rolled back as soon as somebody can say so.</summary>
    [Theory]
    [InlineData("Prepare", Cut.Source, OperationOutcome.Succeeded)]
    [InlineData("Prepare", Cut.Destination, OperationOutcome.Succeeded)]
    [InlineData("copying", Cut.Source, OperationOutcome.Succeeded)]
    [InlineData("copying", Cut.Destination, OperationOutcome.Failed)]
    [InlineData("copying", Cut.Both, OperationOutcome.Failed)]
    public async Task CutOff_BeforeTheGuestIsStopped_ItRunsOnAndTheMigrationEndsOnce(string point, Cut cut, OperationOutcome expected)
    {
        await using var guest = await RunGuestAsync();
        await using var watcher = await hosts.ConnectAsync(Token, cut == Cut.Destination ? hosts.HostA : hosts.HostB);
        var id = $"{point}-{cut}".ToLowerInvariant();
        Client.MigrationOperation migration;
        using (var gate = hosts.Hold(id, point))
        {
            migration = await StartHeldAsync(watcher, id, gate);
            using var away = CutOff(cut, hosts.HostA, hosts.HostB);
            gate.Dispose();
            if (cut == Cut.Source)
            {
                // Nothing of it needs the source's word.
                Assert.Equal(expected, (await migration.WaitForCompletionAsync(Token)).Outcome);
            }
            else
            {
                await TwoHosts.UntilAsync(async () => !await CanAnswerAsync(() => migration.GetProgressAsync(Token)), "nobody can say where the migration is", Token);
                Assert.False(await guest.StandsStillAsync(Token));
            }

            await guest.UntilItWritesAsync(Token);
        }

        // The same request again is the same migration.
        await UntilAnsweredAsync(() => hosts.Fabric.StartMigrationAsync(Guest, hosts.HostB.Name, operationId: id, cancellationToken: Token));
        await AssertEndedAsync(guest, migration, expected);
    }

    [Theory]
    [InlineData("Commit", Cut.Source, OperationOutcome.Succeeded)]
    [InlineData("Run", Cut.Source, OperationOutcome.Succeeded)]
    [InlineData("Run", Cut.Destination, OperationOutcome.Succeeded)]
    [InlineData("Run", Cut.Both, OperationOutcome.Succeeded)]
    public async Task CutOff_OnceItNeedsNobodysWord_TheDestinationRunsWithoutWaiting(string point, Cut cut, OperationOutcome expected)
    {
        await using var guest = await RunGuestAsync();
        var id = $"{point}-{cut}".ToLowerInvariant();
        Client.MigrationOperation migration;
        using (var gate = hosts.Hold(id, point))
        {
            migration = await StartHeldAsync(hosts.Fabric, id, gate);
            using var away = CutOff(cut, hosts.HostA, hosts.HostB);
            gate.Dispose();
            await guest.UntilItWritesAsync(Token);
            Assert.Contains($"{Guest}.2", TwoHosts.Instances(hosts.HostB));
        }

        await AssertEndedAsync(guest, migration, expected);
    }

    [Theory]
    [InlineData(Cut.Destination)]
    [InlineData(Cut.Both)]
    public async Task CutOff_AtTheCommit_BothStandStillUntilItIsKnownAndThenTheSourceGoesOn(Cut cut)
    {
        await using var guest = await RunGuestAsync();
        await using var watcher = await hosts.ConnectAsync(Token, hosts.HostA);
        var id = $"commit-{cut}".ToLowerInvariant();
        Client.MigrationOperation migration;
        using (var gate = hosts.Hold(id, "Commit"))
        {
            migration = await StartHeldAsync(watcher, id, gate);
            using var away = CutOff(cut, hosts.HostA, hosts.HostB);
            gate.Dispose();
            await TwoHosts.UntilAsync(
                async () => (await migration.GetProgressAsync(Token)).Message?.Contains("Postgres did not answer the commit", StringComparison.Ordinal) == true, "the commit is tried", Token);
            Assert.True(await guest.StandsStillAsync(Token), "Somebody let it run, and nobody knows who owns it.");
        }

        await guest.UntilItWritesAsync(Token);
        await AssertEndedAsync(guest, migration, OperationOutcome.Failed);
    }

    /// <summary>The commit is sent, no answer comes within its time, and it arrives in the end: whatever is asked meanwhile, it has happened or it never will.</summary>
    [Fact]
    public async Task Silent_AtTheCommit_WhateverArrivesInTheEndDecides()
    {
        await using var guest = await RunGuestAsync();
        await using var watcher = await hosts.ConnectAsync(Token, hosts.HostA);
        Client.MigrationOperation migration;
        using (var gate = hosts.Hold("commit-silent", "Commit"))
        {
            migration = await StartHeldAsync(watcher, "commit-silent", gate);
            hosts.PostgresOf(hosts.HostB).Silence();
        }

        try
        {
            await TwoHosts.UntilAsync(
                async () => (await migration.GetProgressAsync(Token)).Message?.Contains("Postgres did not answer the commit", StringComparison.Ordinal) == true, "the commit is given up", Token);
            Assert.True(await guest.StandsStillAsync(Token), "Somebody let it run, and nobody knows who owns it.");
        }
        finally
        {
            hosts.MendPostgres();
        }

        await guest.UntilItWritesAsync(Token);
        await AssertEndedAsync(guest, migration, expected: null);
    }

    [Fact]
    public async Task Slow_TheGuestMovesAllTheSame()
    {
        await using var guest = await RunGuestAsync();
        foreach (var host in hosts.Hosts) hosts.PostgresOf(host).Delay = TimeSpan.FromMilliseconds(250);
        try
        {
            var result = await hosts.MigrateAsync(Guest, hosts.HostB.Name, options: null, Token);

            // That, and nothing else, is what a slow Postgres costs the guest.
            Assert.True(result.Pause!.CommitMs >= 250, $"The commit took {result.Pause.CommitMs} ms.");
            Assert.True(result.PauseMs < 250 + LongestHiccup.TotalMilliseconds, $"The pause took {result.PauseMs} ms.");
        }
        finally
        {
            hosts.MendPostgres();
        }

        await SettledAsync(guest, hosts.HostA.Name);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("copying")]
    [InlineData("Commit")]
    public async Task Restarted_GuestGoesOnAndTheMigrationEndsOnce(string? point)
    {
        await using var guest = await RunGuestAsync();
        if (point is null)
        {
            var gap = await guest.LongestGapAsync(() => hosts.RestartPostgresAsync(Token));
            Assert.True(gap < LongestHiccup, $"The guest stood still for {gap.TotalMilliseconds:0} ms.");

            // Whoever comes first finds nothing but dead connections, and does not hear of it.
            Assert.Equal((VmState.Running, 1L), await StateAsync());
            await SettledAsync(guest, hosts.HostB.Name);
            return;
        }

        var id = $"restart-{point}".ToLowerInvariant();
        Client.MigrationOperation migration;
        using (var gate = hosts.Hold(id, point))
        {
            migration = await StartHeldAsync(hosts.Fabric, id, gate);
            await hosts.RestartPostgresAsync(Token);
        }

        await guest.UntilItWritesAsync(Token);
        await AssertEndedAsync(guest, migration, expected: null);
    }

    /// <summary>A guest on the first host that notices whether it loses anything.</summary>
    private Task<LoadedGuest> RunGuestAsync()
    {
        hosts.Require();
        return LoadedGuest.RunAsync(hosts, Guest, Number, hosts.HostA, Token);
    }

    /// <summary>Starts a migration to the second host and waits until it is where it is held.</summary>
    private async Task<Client.MigrationOperation> StartHeldAsync(Client.FabricClient asked, string id, OperationGate gate)
    {
        var migration = await asked.StartMigrationAsync(Guest, hosts.HostB.Name, operationId: id, cancellationToken: Token);
        using var reaching = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var ended = migration.WaitForCompletionAsync(reaching.Token);
        var reached = gate.UntilReachedAsync(Token);
        if (await Task.WhenAny(ended, reached) == ended) Assert.Fail($"It ended before it was there: {(await ended).Reason}");
        await reached;
        await reaching.CancelAsync();
        await ((Task)ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return migration;
    }

    /// <summary>The migration has ended, as everybody sees it; the guest runs where it says, with all it had; the next one succeeds.</summary>
    private async Task AssertEndedAsync(LoadedGuest guest, Client.MigrationOperation migration, OperationOutcome? expected)
    {
        var result = await migration.WaitForCompletionAsync(Token);
        Assert.True(expected is null || result.Outcome == expected, $"{result.Outcome}: {result.Reason}");
        Assert.True(result.Outcome == OperationOutcome.Succeeded || result.Reason is { Length: > 0 });
        Assert.Equal(result.Outcome == OperationOutcome.Succeeded ? (hosts.HostB.Name, 2L) : (hosts.HostA.Name, 1L), (result.RunsOn, result.Epoch));
        Assert.Equal((result.RunsOn, result.Epoch), await hosts.ReadOwnerAsync(Guest, Token));
        await UntilAnsweredAsync(() => hosts.Fabric.GetVmAsync(Guest, Token));
        Assert.Equal(result.Outcome, (await hosts.Fabric.FindOperationAsync(migration.Id, Token))!.Outcome);
        await SettledAsync(guest, hosts.Other(result.RunsOn));
    }

    /// <summary>Nothing is left but what runs, and it can be migrated at once.</summary>
    private async Task SettledAsync(LoadedGuest guest, string next)
    {
        await hosts.UntilOnlyTheOwnerIsLeftAsync(await hosts.Fabric.GetVmAsync(Guest, Token), Token);
        await hosts.MigrateAsync(Guest, next, options: null, Token);
        await guest.AssertNothingIsLostAsync();
    }

    private async Task<(VmState State, long Epoch)> StateAsync()
    {
        var vm = await hosts.Fabric.GetVmAsync(Guest, Token);
        return (vm.State, vm.Epoch);
    }

    /// <summary>Cuts Postgres off until it is disposed.</summary>
    private Mending CutOff(Cut cut, SiloProcess source, SiloProcess destination)
    {
        foreach (var host in cut == Cut.Both ? hosts.Hosts : [cut == Cut.Source ? source : destination]) hosts.PostgresOf(host).Cut();
        return new Mending(hosts);
    }

    private static void AssertSaysWhy(FabricException refusal)
    {
        Assert.True(refusal is { Code: FabricErrorCode.Unavailable, IsTransient: true }, $"{refusal.Code}: {refusal.Message}");
        Assert.Contains("Postgres at 127.0.0.1:", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refusal.Message);
    }

    private static async Task<bool> CanAnswerAsync<T>(Func<Task<T>> ask)
    {
        try
        {
            await ask();
            return true;
        }
        catch (FabricException error) when (error.Code == FabricErrorCode.Unavailable)
        {
            return false;
        }
    }

    private static Task UntilAnsweredAsync<T>(Func<Task<T>> ask) => TwoHosts.UntilAsync(() => CanAnswerAsync(ask), "the same can be asked again", Token);

    private sealed class Mending(TwoHosts hosts) : IDisposable
    {
        public void Dispose() => hosts.MendPostgres();
    }
}
