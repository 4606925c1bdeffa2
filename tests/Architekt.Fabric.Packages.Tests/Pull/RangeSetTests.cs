using CsCheck;

namespace Architekt.Fabric.Packages.Tests.Pull;

public sealed class RangeSetTests
{
    [Fact]
    public void Add_AnyRanges_AgreesWithASetOfBytes() =>
        Gen.Select(Gen.Int[0, 63], Gen.Int[1, 16]).List[0, 20].Sample(pairs =>
        {
            const int size = 80;
            var ranges = new RangeSet(size);
            var bytes = new bool[size];
            foreach (var (offset, length) in pairs)
            {
                ranges.Add(new PackageRange(offset, length));
                bytes.AsSpan(offset, length).Fill(true);
            }

            var missing = new bool[size];
            var last = -1L;
            foreach (var range in ranges.Missing())
            {
                Assert.True(range.Offset > last && range.Length > 0, "Missing ranges are in order and do not touch.");
                last = range.End;
                missing.AsSpan((int)range.Offset, (int)range.Length).Fill(true);
            }

            Assert.Equal(bytes.Count(there => there), ranges.Length);
            Assert.Equal(bytes.Select(there => !there), missing);
        });
}
