using System.Text.Json;

namespace Architekt.Fabric.Qemu;

public static partial class QmpCommands
{
    /// <summary>What the machine is doing: <c>query-status</c>.</summary>
    public static Task<QmpStatus> QueryStatusAsync(this QmpClient client, CancellationToken cancellationToken) =>
        QueryAsync(client.ExecuteAsync("query-status", cancellationToken), "query-status", QmpJson.Default.QmpStatus);

    /// <summary>Stops the virtual CPUs: <c>stop</c>. Returns when they stand still and the disks are flushed.</summary>
    public static Task StopAsync(this QmpClient client, CancellationToken cancellationToken) => client.ExecuteAsync("stop", cancellationToken);

    /// <summary>
    /// Lets the virtual CPUs run: <c>cont</c>. In <see cref="RunState.Inmigrate"/> QEMU only remembers it and runs as soon as the state is loaded,
    /// so wait for <see cref="RunState.Paused"/> first where it matters when that is.
    /// </summary>
    public static Task ContinueAsync(this QmpClient client, CancellationToken cancellationToken) => client.ExecuteAsync("cont", cancellationToken);

    /// <summary>
    /// Lets a source go on after its migration has failed or was cancelled; returns when the guest runs. QEMU may still be at the end of that
    /// migration: then it refuses <c>cont</c> for a moment, and may let the guest go on by itself.
    /// </summary>
    /// <exception cref="QmpException">QEMU does not let the guest run for another reason.</exception>
    public static async Task ContinueAfterMigrationAsync(this QmpClient client, TimeProvider time, CancellationToken cancellationToken)
    {
        while (true)
        {
            var state = await client.QueryStatusAsync(cancellationToken).ConfigureAwait(false);
            if (state.Running) return;
            try
            {
                await client.ContinueAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (QmpException) when (state.Status == RunState.FinishMigrate)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(2), time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Ends QEMU at once, without asking the guest: <c>quit</c>. Only the end of the process is proof.</summary>
    public static async Task QuitAsync(this QmpClient client, CancellationToken cancellationToken)
    {
        try
        {
            await client.ExecuteAsync("quit", cancellationToken).ConfigureAwait(false);
        }
        catch (QmpConnectionException)
        {
            // QEMU may be gone before its answer is read, which is what was asked for.
        }
    }

    /// <summary>Presses the power button: <c>system_powerdown</c>. The guest decides what to do.</summary>
    public static Task SystemPowerdownAsync(this QmpClient client, CancellationToken cancellationToken) =>
        client.ExecuteAsync("system_powerdown", cancellationToken);

    /// <summary>Presses the reset button: <c>system_reset</c>.</summary>
    public static Task SystemResetAsync(this QmpClient client, CancellationToken cancellationToken) =>
        client.ExecuteAsync("system_reset", cancellationToken);

    /// <summary>Announces the network cards to the switches around them: <c>announce-self</c>. Returns before the first announcement.</summary>
    public static Task AnnounceSelfAsync(this QmpClient client, AnnounceParameters parameters, CancellationToken cancellationToken) =>
        client.ExecuteAsync("announce-self", parameters, QmpJson.Default.AnnounceParameters, cancellationToken);

    /// <summary>The CPU models this QEMU has, and what this host lacks for each: <c>query-cpu-definitions</c>.</summary>
    public static async Task<IReadOnlyList<CpuDefinition>> QueryCpuDefinitionsAsync(this QmpClient client, CancellationToken cancellationToken) =>
        await QueryAsync(
            client.ExecuteAsync("query-cpu-definitions", cancellationToken), "query-cpu-definitions", QmpJson.Default.CpuDefinitionArray)
            .ConfigureAwait(false);

    /// <summary>
    /// The features of a CPU model under the current accelerator: <c>query-cpu-model-expansion</c>, type <c>static</c>, which has each feature once and by the name <c>-cpu</c> knows it
    /// by. Type <c>full</c> has synonyms and settings beside them.
    /// </summary>
    public static async Task<CpuModel> QueryCpuModelAsync(this QmpClient client, string model, CancellationToken cancellationToken)
    {
        var reply = client.ExecuteAsync(
            "query-cpu-model-expansion", new CpuModelExpansionArguments("static", new CpuModel(model)), QmpJson.Default.CpuModelExpansionArguments,
            cancellationToken);
        return (await QueryAsync(reply, "query-cpu-model-expansion", QmpJson.Default.CpuModelExpansion).ConfigureAwait(false)).Model;
    }

    /// <summary>Runs a command of the human monitor and returns its text: <c>human-monitor-command</c>. For people and tests; its text changes between versions.</summary>
    public static Task<string> HumanMonitorAsync(this QmpClient client, string commandLine, CancellationToken cancellationToken) =>
        QueryAsync(
            client.ExecuteAsync(
                "human-monitor-command", new HumanMonitorArguments(commandLine), QmpJson.Default.HumanMonitorArguments, cancellationToken),
            "human-monitor-command", QmpJson.Default.String);

    /// <summary>Reads a property of an object: <c>qom-get</c>.</summary>
    public static Task<JsonElement> QomGetAsync(this QmpClient client, string path, string property, CancellationToken cancellationToken) =>
        client.ExecuteAsync("qom-get", new QomGetArguments(path, property), QmpJson.Default.QomGetArguments, cancellationToken);
}
