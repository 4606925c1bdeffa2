namespace Architekt.Fabric;

/// <summary>How to migrate.</summary>
/// <param name="Verify">Digest the RAM on both sides while both are stopped and refuse to commit if they differ. Lengthens the pause.</param>
/// <param name="PauseBudgetMs">How long sending the last round may take, 1 to 60000 ms: pre-copy goes on until what is left fits.</param>
/// <param name="MaxRounds">Rounds after which pre-copy gives up, 1 to 10000.</param>
/// <param name="TimeoutMs">How long pre-copy may take, in ms, before the migration is given up and the guest stays.</param>
/// <param name="Connections">NBD connections between the peers, 1 to 16.</param>
/// <param name="BandwidthBytesPerSecond">Limit of pre-copy in bytes per second; 0 is none. The last round is never limited.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.migration-options")]
public sealed record MigrationOptions(
    bool Verify = false,
    int PauseBudgetMs = 5,
    int MaxRounds = 200,
    int TimeoutMs = 600_000,
    int Connections = 2,
    long BandwidthBytesPerSecond = 0)
{
    /// <summary>Throws <see cref="FabricErrorCode.InvalidArgument"/> naming the first option that is out of its range.</summary>
    public void Validate()
    {
        Require(PauseBudgetMs is >= 1 and <= 60_000, "pause budget", "1 to 60000 ms");
        Require(MaxRounds is >= 1 and <= 10_000, "maximum of rounds", "1 to 10000");
        Require(TimeoutMs is >= 1000 and <= 86_400_000, "timeout", "1 second to 1 day");
        Require(Connections is >= 1 and <= 16, "number of connections", "1 to 16");
        Require(BandwidthBytesPerSecond is 0 or >= 65_536, "bandwidth", "0 (no limit) or at least 64 KiB per second");

        static void Require(bool condition, string what, string range)
        {
            if (!condition) throw FabricException.Invalid($"The migration's {what} is out of range: {range}.");
        }
    }
}
