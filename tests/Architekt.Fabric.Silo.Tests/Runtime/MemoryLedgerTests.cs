using Architekt.Fabric.Silo.Runtime;

namespace Architekt.Fabric.Silo.Tests.Runtime;

public sealed class MemoryLedgerTests
{
    private const long MiB = 1 << 20;
    private readonly MemoryLedger _ledger = new("host-a", 1000 * MiB);

    [Fact]
    public void Promise_NoRoom_RefusesInASentence()
    {
        _ledger.Promise("a", 1, 900 * MiB);

        var refusal = Assert.Throws<FabricException>(() => _ledger.Promise("b", 1, 101 * MiB));

        Assert.Equal(FabricErrorCode.NoCapacity, refusal.Code);
        Assert.StartsWith("Host 'host-a' has no room: 101 MiB of guest memory are needed and 100 of 1000 MiB are free.", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(100 * MiB, _ledger.Free);
    }

    [Fact]
    public void Promise_ExactlyTheRest_IsGiven()
    {
        _ledger.Promise("a", 1, 1000 * MiB);

        Assert.Equal(0, _ledger.Free);
        Assert.NotNull(_ledger.Refusal(1));
        Assert.Null(_ledger.Refusal(0));
    }

    [Fact]
    public void Promise_SameInstanceTwice_CountsOnce()
    {
        _ledger.Promise("a", 1, 600 * MiB);
        _ledger.Promise("a", 1, 600 * MiB);

        Assert.Equal(400 * MiB, _ledger.Free);
    }

    [Fact]
    public void Return_OneEpoch_KeepsTheOther()
    {
        _ledger.Promise("a", 1, 300 * MiB);
        _ledger.Promise("a", 2, 300 * MiB);

        _ledger.Return("a", 1);
        _ledger.Return("a", 1);

        Assert.Equal(700 * MiB, _ledger.Free);
    }

    [Fact]
    public void Record_MoreThanThereIs_IsCountedAndNothingElseFits()
    {
        _ledger.Record("a", 1, 1200 * MiB);

        Assert.Equal("host 'host-a' has no room: 1 MiB of guest memory are needed and 0 of 1000 MiB are free", _ledger.Refusal(MiB));
    }

    [Fact]
    public void Promise_ManyAtOnce_NeverGivesMoreThanThereIs()
    {
        var given = 0;
        Parallel.For(0, 500, new ParallelOptions { MaxDegreeOfParallelism = 16 }, vm =>
        {
            try
            {
                _ledger.Promise($"vm-{vm}", 1, 30 * MiB);
                Interlocked.Increment(ref given);
            }
            catch (FabricException)
            {
                // No room is what most of them are to hear.
            }
        });

        Assert.Equal(33, given);
        Assert.Equal(10 * MiB, _ledger.Free);
    }
}
