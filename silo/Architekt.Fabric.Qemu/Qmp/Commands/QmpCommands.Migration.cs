namespace Architekt.Fabric.Qemu;

public static partial class QmpCommands
{
    /// <summary>State of the migration: <c>query-migrate</c>.</summary>
    public static async Task<MigrationInfo> QueryMigrateAsync(this QmpClient client, CancellationToken cancellationToken)
    {
        var reply = client.ExecuteAsync("query-migrate", cancellationToken);
        var info = await QueryAsync(reply, "query-migrate", QmpJson.Default.MigrationInfo).ConfigureAwait(false);
        // Before the first migration the answer is an empty object.
        return (await reply.ConfigureAwait(false)).TryGetProperty("status"u8, out _) ? info : info with { Status = MigrationStatus.None };
    }

    /// <summary>Begins to send: <c>migrate</c>. Returns at once; how it goes is told by <c>MIGRATION</c> events.</summary>
    /// <param name="client">The source.</param>
    /// <param name="uri"><c>unix:PATH</c>, <c>tcp:HOST:PORT</c> or <c>exec:COMMAND</c> (which the sandbox refuses).</param>
    /// <param name="cancellationToken">Gives up waiting for the answer.</param>
    public static Task MigrateAsync(this QmpClient client, string uri, CancellationToken cancellationToken) =>
        client.ExecuteAsync("migrate", new UriArguments(uri), QmpJson.Default.UriArguments, cancellationToken);

    /// <summary>Begins to listen on a destination that was started with <c>-incoming defer</c>: <c>migrate-incoming</c>.</summary>
    public static Task MigrateIncomingAsync(this QmpClient client, string uri, CancellationToken cancellationToken) =>
        client.ExecuteAsync("migrate-incoming", new UriArguments(uri), QmpJson.Default.UriArguments, cancellationToken);

    /// <summary>Lets a source that waits in <paramref name="state"/> go on: <c>migrate-continue</c>.</summary>
    public static Task MigrateContinueAsync(this QmpClient client, MigrationStatus state, CancellationToken cancellationToken) =>
        client.ExecuteAsync("migrate-continue", new MigrateContinueArguments(state), QmpJson.Default.MigrateContinueArguments, cancellationToken);

    /// <summary>
    /// Cancels: <c>migrate_cancel</c>. Returns at once; after <see cref="MigrationStatus.Cancelled"/> the source runs again by itself if it ran before.
    /// </summary>
    public static Task MigrateCancelAsync(this QmpClient client, CancellationToken cancellationToken) =>
        client.ExecuteAsync("migrate_cancel", cancellationToken);

    /// <summary>Sets the capabilities: <c>migrate-set-capabilities</c>. Refused while a migration runs.</summary>
    public static Task MigrateSetCapabilitiesAsync(
        this QmpClient client, MigrationCapabilities capabilities, CancellationToken cancellationToken)
    {
        var arguments = new CapabilitiesArguments(
        [
            new("x-ignore-shared", capabilities.IgnoreShared),
            new("events", capabilities.Events),
            new("pause-before-switchover", capabilities.PauseBeforeSwitchover),
        ]);
        return client.ExecuteAsync("migrate-set-capabilities", arguments, QmpJson.Default.CapabilitiesArguments, cancellationToken);
    }

    /// <summary>Changes parameters: <c>migrate-set-parameters</c>.</summary>
    public static Task MigrateSetParametersAsync(this QmpClient client, MigrationParameters parameters, CancellationToken cancellationToken) =>
        client.ExecuteAsync("migrate-set-parameters", parameters, QmpJson.Default.MigrationParameters, cancellationToken);

    /// <summary>
    /// The first <c>MIGRATION</c> event from now on whose state is <paramref name="status"/>, <see cref="MigrationStatus.Failed"/> or
    /// <see cref="MigrationStatus.Cancelled"/>; see which in <see cref="QmpEvent.MigrationStatus"/>. Call it before the command that causes it.
    /// </summary>
    public static Task<QmpEvent> WaitForMigrationAsync(this QmpClient client, MigrationStatus status, CancellationToken cancellationToken) =>
        client.WaitForEventAsync(
            QmpEventNames.Migration,
            value => value.MigrationStatus is { } now && (now == status || now is MigrationStatus.Failed or MigrationStatus.Cancelled),
            cancellationToken);
}
