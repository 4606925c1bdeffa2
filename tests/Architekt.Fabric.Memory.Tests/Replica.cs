namespace Architekt.Fabric.Memory.Tests;

/// <summary>What a destination would have: a second RAM that receives the pages the rounds report, and nothing else.</summary>
internal sealed class Replica(GuestMemory source, string path) : IDisposable
{
    private readonly GuestMemory _copy = GuestMemory.Create(path, source.Length);

    /// <summary>The first pass: everything that is not hole.</summary>
    public void CopyAll() => Copy(source, source.DataRanges());

    /// <summary>The destination has another RAM already: the package's.</summary>
    public void CopyFrom(GuestMemory other) => Copy(other, other.DataRanges());

    public void Copy(IEnumerable<PageRange> ranges) => Copy(source, ranges);

    /// <summary>The oracle. The source has to stand still.</summary>
    public void AssertEqualsSource() => Assert.Equal(source.ComputeDigest(CancellationToken.None), _copy.ComputeDigest(CancellationToken.None));

    private void Copy(GuestMemory from, IEnumerable<PageRange> ranges)
    {
        foreach (var range in ranges)
        {
            foreach (var run in from.SplitRuns(range, 64 * GuestMemory.PageSize))
            {
                if (run.IsZero)
                    _copy.PunchHole(run.Offset, run.Length);
                else
                    from.GetSpan(run.Offset, run.Length).CopyTo(_copy.GetSpan(run.Offset, run.Length));
            }
        }
    }

    public void Dispose() => _copy.Dispose();
}
