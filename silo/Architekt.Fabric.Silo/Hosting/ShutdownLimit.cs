namespace Architekt.Fabric.Silo;

/// <summary>
/// Ends the process if its orderly end takes too long. Orleans says goodbye to the membership table in three steps and, if Postgres is gone, tries for two minutes, whatever the
/// host's own limit is. A silo may end at any time: its VMs run on, and the next one clears up.
/// </summary>
internal static class ShutdownLimit
{
    /// <summary>How long services may take to stop in order; after that they are asked to hurry.</summary>
    public static readonly TimeSpan Orderly = TimeSpan.FromSeconds(8);

    /// <summary>How long they may take altogether, hurrying included.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(12);

    /// <summary>Counts from the moment the host is asked to stop until its services have.</summary>
    public static void Enforce(IHostApplicationLifetime lifetime, TimeProvider time) =>
        lifetime.ApplicationStopping.Register(() => _ = EndAsync(lifetime, time));

    private static async Task EndAsync(IHostApplicationLifetime lifetime, TimeProvider time)
    {
        try
        {
            await Task.Delay(Longest, time, lifetime.ApplicationStopped);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        await Console.Error.WriteLineAsync(
            $"architekt silo: ended without the fabric's consent, because it could not say goodbye within {Longest.TotalSeconds:0} s; other hosts will notice. Its VMs run on.");
        Environment.Exit(0);
    }
}
