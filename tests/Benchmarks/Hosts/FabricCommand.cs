using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Benchmarks.Hosts;

/// <summary>The fabric's own command, as a user at the client runs it.</summary>
internal sealed class FabricCommand(string runFolder, string gateways)
{
    // docs/cli.md, exit codes.
    private const int Unreachable = 6;
    private const int Attempts = 3;

    /// <summary>Runs it, again if a silo was too busy to answer.</summary>
    /// <returns>What it printed.</returns>
    public async Task<string> RunAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var result = await TryAsync(arguments, cancellationToken);
            if (result.Succeeded) return result.StandardOutput;
            // The command gives a silo 4 seconds to answer, which is little on a machine that emulates two guests.
            if (result.ExitCode != Unreachable || attempt == Attempts) throw Failed(arguments, result);
        }
    }

    /// <summary>Runs it once: for what is timed.</summary>
    public async Task RunOnceAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        var result = await TryAsync(arguments, cancellationToken);
        if (!result.Succeeded) throw Failed(arguments, result);
    }

    private Task<CommandResult> TryAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken) => Command.RunAsync(
        "dotnet",
        [Path.Combine(runFolder, "cli", "fabric.dll"), .. arguments],
        new CommandOptions { Environment = new Dictionary<string, string?> { ["FABRIC_GATEWAYS"] = gateways } },
        cancellationToken);

    private static InvalidOperationException Failed(IReadOnlyList<string> arguments, CommandResult result) =>
        new($"`fabric {string.Join(' ', arguments)}` exited with {result.ExitCode}: {result.StandardError.Trim()}");
}
