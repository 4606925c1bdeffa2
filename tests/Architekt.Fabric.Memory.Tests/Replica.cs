namespace Architekt.Fabric.Memory.Tests;

/// <summary>What a destination would have: a second RAM that receives the pages the rounds report, and nothing else.</summary>
internal sealed class Replica(GuestMemory source, string path) : IDisposable
{
    private readonly GuestMemory _copy = GuestMemory.Create(path, source.Length);

    /// <summary>The first pass: everything that is not hole.</summary>
    public void CopyAll() => Copy(source.DataRanges());

    public void Copy(IEnumerable<PageRange> ranges)
    {
        foreach (var range in ranges)
        {
            foreach (var run in source.SplitRuns(range, 64 * GuestMemory.PageSize))
            {
                if (run.IsZero)
                    _copy.PunchHole(run.Offset, run.Length);
                else
                    source.GetSpan(run.Offset, run.Length).CopyTo(_copy.GetSpan(run.Offset, run.Length));
            }
        }
    }

    /// <summary>The oracle. The source has to stand still.</summary>
    public void AssertEqualsSource() => Assert.Equal(source.ComputeDigest(CancellationToken.None), _copy.ComputeDigest(CancellationToken.None));

    public void Dispose() => _copy.Dispose();
}
