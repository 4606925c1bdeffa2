using CsCheck;

namespace Architekt.Fabric.Qemu.Tests.Machine;

public sealed class CpuFeaturesTests
{
    private static readonly string[] Names = ["aes", "avx", "avx2", "avx512f", "lm", "sse4.1", "sse4.2", "vmx"];
    private static readonly Gen<string[]> Sets = Gen.Int[0, Names.Length - 1].Array[0, 8].Select(static names => names.Distinct().Select(static name => Names[name]).ToArray());

    [Fact]
    public void Missing_HostLacksSome_AreNamedInOrder() =>
        Assert.Equal(["avx512f", "vmx"], CpuFeatures.Missing(["vmx", "sse2", "avx512f"], ["lm", "sse2"]));

    [Theory]
    [InlineData("", "lm")]
    [InlineData("lm", "lm sse2")]
    [InlineData("", "")]
    public void Missing_HostHasAll_IsEmpty(string seen, string host) => Assert.Empty(CpuFeatures.Missing(Words(seen), Words(host)));

    [Fact]
    public void Missing_NamesAreCompared_AsTheyAreWritten() => Assert.Equal(["sse4.1"], CpuFeatures.Missing(["sse4.1"], ["SSE4.1", "sse4_1", "sse4"]));

    [Fact]
    public void Unseen_NothingIsKnownOfTheGuest_HidesNothing() => Assert.Empty(CpuFeatures.Unseen([], ["lm", "sse2"]));

    [Fact]
    public void Unseen_GuestThatMayGoOn_IsLeftWithExactlyWhatItHasSeen() => Gen.Select(Sets, Sets).Sample((seen, host) =>
    {
        if (seen.Length == 0 || CpuFeatures.Missing(seen, host).Count > 0) return;
        Assert.Equal(seen.Order(StringComparer.Ordinal), host.Except(CpuFeatures.Unseen(seen, host)).Order(StringComparer.Ordinal));
    });

    [Theory]
    [InlineData("", null)]
    [InlineData("vmx", "the CPU feature vmx")]
    [InlineData("avx2 vmx", "the CPU features avx2 and vmx")]
    [InlineData("a b c d e f g h", "the CPU features a, b, c, d, e, f, g and h")]
    [InlineData("a b c d e f g h i j", "the CPU features a, b, c, d, e, f, g, h and 2 more")]
    public void Describe_Missing_IsTheEndOfASentence(string missing, string? text) => Assert.Equal(text, CpuFeatures.Describe(Words(missing)));

    private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
