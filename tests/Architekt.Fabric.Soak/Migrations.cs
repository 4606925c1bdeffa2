using Architekt.Fabric.Client;

namespace Architekt.Fabric.Soak;

/// <summary>Moves guests about at random, one after the other; several of these run at once.</summary>
internal sealed class Migrations(FabricClient client, IReadOnlyList<SoakGuest> guests, IReadOnlyList<string> hosts, SoakCounts counts, Random random)
{
    private const int OneIsCancelledOf = 8;
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(150);
    private static readonly TimeSpan _breath = TimeSpan.FromMilliseconds(200);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var guest = guests[random.Next(guests.Count)];
            if (guest.TryTake())
            {
                try
                {
                    await MigrateAsync(guest);
                }
                catch (FabricException)
                {
                    counts.Refused();
                }
                finally
                {
                    guest.GiveBack();
                }
            }

            await Task.Delay(_breath, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task MigrateAsync(SoakGuest guest)
    {
        if (await client.FindVmAsync(guest.Name) is not { State: VmState.Running } vm) return;
        var others = hosts.Where(host => host != vm.Host).ToList();
        var migration = await client.StartMigrationAsync(guest.Name, others[random.Next(others.Count)]);
        var cancelling = random.Next(OneIsCancelledOf) == 0 ? CancelAsync(migration, random.Next(600)) : Task.CompletedTask;
        using var limit = new CancellationTokenSource(_limit);
        try
        {
            counts.Migration(await migration.WaitForCompletionAsync(limit.Token));
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            counts.Violation($"migration {migration.Id} of '{guest.Name}' has not ended after {_limit.TotalSeconds:0} s");
        }

        await cancelling;
    }

    private static async Task CancelAsync(MigrationOperation migration, int afterMs)
    {
        await Task.Delay(afterMs);
        try
        {
            await migration.CancelAsync();
        }
        catch (FabricException)
        {
            // Too late, or whoever should have heard it has been killed.
        }
    }
}
