using System.Formats.Tar;
using System.Text;
using CsCheck;

namespace Architekt.Fabric.Packages.Tests.Archive;

public sealed class ArkRefusalTests : IDisposable
{
    private const int DiskSize = 64 * 1024;

    private readonly TempFolder _temp = new();
    private readonly TestBlueprint _blueprint;
    private readonly HandMadeArk _ark;

    public ArkRefusalTests()
    {
        _blueprint = new TestBlueprint(_temp, diskSize: DiskSize);
        _ark = new HandMadeArk(_temp, _blueprint);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task ImportAsync_HandMadeArchive_IsTakenWhenNothingIsWrong()
    {
        var store = await _temp.OpenStoreAsync();

        var package = await store.ImportAsync(_ark.Write(), null, null, Cancellation);

        Assert.Equal(File.ReadAllBytes(_blueprint.PathOf("disk")), File.ReadAllBytes(package.PathOf("disk")));
    }

    [Fact]
    public async Task ImportAsync_EntriesInAnotherOrder_IsTaken()
    {
        _ark.Members.Reverse(1, 3);
        var path = _ark.Write();
        var store = await _temp.OpenStoreAsync();

        var package = await store.ImportAsync(path, null, null, Cancellation);

        await PackageStore.VerifyAsync(package, null, Cancellation);
        Assert.Equal(["disk.zst", "initramfs.zst", "kernel.zst"], (await ArkReader.InspectAsync(path, Cancellation)).Members.Select(member => member.Name));
    }

    [Fact]
    public async Task ImportAsync_ManifestNotFirst_IsRefused()
    {
        _ark.Members.Reverse(0, 2);

        await RefusedAsync("must begin with manifest.json, not 'kernel.zst'");
    }

    [Fact]
    public async Task ImportAsync_ManifestOverTheLimit_IsRefused()
    {
        _ark.Replace("manifest.json", new byte[PackageManifest.MaxBytes + 1]);

        await RefusedAsync("a manifest has at most 1048576");
    }

    [Fact]
    public async Task ImportAsync_NewerFormat_IsUnsupportedVersion()
    {
        _ark.Replace("manifest.json", Encoding.UTF8.GetBytes("""{"formatVersion": 2, "pieces": []}"""));
        _ark.Members.Add(HandMadeArk.Member("pieces.zst", [1]));

        await RefusedAsync("has format version 2; this version reads up to 1", PackageErrorCode.UnsupportedVersion);
    }

    [Theory]
    [InlineData("../../etc/passwd")]
    [InlineData("/etc/passwd")]
    [InlineData("./kernel.zst")]
    [InlineData("kernel.zst/../../x")]
    [InlineData("memory.zst")]
    [InlineData("kernel")]
    public async Task ImportAsync_UnexpectedMember_IsRefusedByName(string name)
    {
        _ark.Members.Add(HandMadeArk.Member(name, [1]));

        await RefusedAsync($"'{name}' does not belong there");
    }

    [Theory]
    [InlineData("kernel.zst", "'kernel.zst' is there twice")]
    [InlineData("manifest.json", "'manifest.json' does not belong there")]
    public async Task ImportAsync_MemberTwice_IsRefused(string name, string problem)
    {
        _ark.Members.Add(HandMadeArk.Member(name, HandMadeArk.Compress(new byte[5000])));

        await RefusedAsync(problem);
    }

    [Theory]
    [InlineData(1, "'kernel.zst' is missing")]
    [InlineData(3, "'disk.zst' is missing")]
    public async Task ImportAsync_MissingMember_IsRefused(int index, string problem)
    {
        _ark.Members.RemoveAt(index);

        await RefusedAsync(problem);
    }

    [Theory]
    [InlineData(TarEntryType.SymbolicLink)]
    [InlineData(TarEntryType.HardLink)]
    [InlineData(TarEntryType.Directory)]
    [InlineData(TarEntryType.CharacterDevice)]
    [InlineData(TarEntryType.Fifo)]
    public async Task ImportAsync_MemberIsNoFile_IsRefused(TarEntryType type)
    {
        _ark.Members[3] = new GnuTarEntry(type, "disk.zst");
        if (type is TarEntryType.SymbolicLink or TarEntryType.HardLink)
            _ark.Members[3].LinkName = "/etc/passwd";

        await RefusedAsync($"is not a regular file but of the type {type}");
    }

    [Fact]
    public async Task ImportAsync_EmptyMember_IsRefused()
    {
        _ark.Replace("disk.zst", []);

        await RefusedAsync("'disk.zst' is empty");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ImportAsync_Bomb_IsRefusedAtTheFirstByteTooMany(bool ofZeros)
    {
        var content = File.ReadAllBytes(_blueprint.PathOf("disk"));
        byte[] bomb = ofZeros
            ? [.. HandMadeArk.Compress(content), .. ZeroFrame.Of(ZeroFrame.MaxZeros).Single().Span]
            : HandMadeArk.Compress([.. content, .. Enumerable.Repeat((byte)1, 64 << 20)]);
        _ark.Replace("disk.zst", bomb);
        var most = 0L;

        await RefusedAsync("it is longer than the 65536 bytes of the manifest", listener: new Listener(progress => most = Math.Max(most, progress.BytesDone)));

        Assert.InRange(most, 8000, 8000 + DiskSize);
    }

    [Fact]
    public async Task ImportAsync_ShorterContent_IsRefused()
    {
        _ark.Replace("disk.zst", HandMadeArk.Compress(File.ReadAllBytes(_blueprint.PathOf("disk"))[..^1]));

        await RefusedAsync("it ends after 65535 bytes, but the manifest says 65536");
    }

    [Fact]
    public async Task ImportAsync_EntryOfAPebibyte_IsRefusedAndTakesNoSpace()
    {
        _blueprint.EditManifest(json => json["entries"]![2]!["size"] = 1L << 50);
        _ark.Replace("manifest.json", File.ReadAllBytes(_blueprint.ManifestPath));

        var error = await Record.ExceptionAsync(() => ImportAsync(null));

        // Which of the two depends on the file system: not all have room for such a hole.
        Assert.Contains(Assert.IsType<PackageException>(error).Code, new[] { PackageErrorCode.Invalid, PackageErrorCode.NoSpace });
        Assert.Empty(_temp.StoreContents());
    }

    [Fact]
    public async Task ImportAsync_WrongContent_IsADigestMismatch()
    {
        var content = File.ReadAllBytes(_blueprint.PathOf("disk"));
        content[^1] ^= 1;
        _ark.Replace("disk.zst", HandMadeArk.Compress(content));

        await RefusedAsync("The entry 'disk'", PackageErrorCode.DigestMismatch);
    }

    [Fact]
    public async Task ImportAsync_NotCompressed_IsRefused()
    {
        _ark.Replace("disk.zst", File.ReadAllBytes(_blueprint.PathOf("disk")));

        await RefusedAsync("'disk.zst' in");
    }

    [Theory]
    [InlineData("something", "cannot be decompressed")]
    [InlineData("\x28\u00B5\x2F\u00FD", "its last frame is cut off")]
    public async Task ImportAsync_SomethingAfterTheContent_IsRefused(string rest, string problem)
    {
        _ark.Replace("disk.zst", [.. HandMadeArk.Compress(File.ReadAllBytes(_blueprint.PathOf("disk"))), .. Encoding.Latin1.GetBytes(rest)]);

        await RefusedAsync(problem);
    }

    [Fact]
    public async Task ImportAsync_WindowThatTakesMuchMemory_IsRefused()
    {
        // A frame without a content size, a window of 2^28 bytes, and one raw block (RFC 8878, 3.1.1).
        _ark.Replace("disk.zst", [0x28, 0xB5, 0x2F, 0xFD, 0x00, (28 - 10) << 3, 0x09, 0x00, 0x00, 0x41]);

        await RefusedAsync("cannot be decompressed");
    }

    [Fact]
    public async Task ImportAsync_CutOffAnywhere_IsRefused()
    {
        var whole = _ark.ToArray();
        var store = await _temp.OpenStoreAsync();

        await Gen.Int[0, whole.Length - 1].SampleAsync(
            async length =>
            {
                var path = _temp.PathOf($"cut-{Guid.NewGuid():N}.ark");
                await File.WriteAllBytesAsync(path, whole[..length], Cancellation);
                var error = await Assert.ThrowsAsync<PackageException>(() => store.ImportAsync(path, null, null, Cancellation));
                Assert.Equal(PackageErrorCode.Invalid, error.Code);
                File.Delete(path);
            },
            iter: 200);

        Assert.Empty(_temp.StoreContents());
    }

    [Theory]
    [InlineData(1 << 20)]
    [InlineData((1L << 33) - 1)]
    [InlineData(1L << 40)]
    public async Task ImportAsync_MemberClaimsMoreThanThereIs_IsRefused(long length)
    {
        var archive = _ark.ToArray();
        HandMadeArk.Claim(archive, "disk.zst", length);

        await RefusedAsync($"it is cut off: 'disk.zst' has {length} bytes", HandMadeArk.Write(_temp, archive));
    }

    [Fact]
    public async Task ImportAsync_AnyDamage_IsRefusedOrDoesNotMatter()
    {
        var whole = _ark.ToArray();
        var store = await _temp.OpenStoreAsync();

        // Headers are what is parsed, and mostly zeros: half of the damage goes there.
        var headers = Gen.Int[0, 2047];
        await Gen.Select(Gen.OneOf(headers, Gen.Int[0, whole.Length - 1]), Gen.Byte).Array[1, 4].SampleAsync(
            async damage =>
            {
                var damaged = whole.ToArray();
                foreach (var (index, value) in damage)
                    damaged[index] = value;
                var path = _temp.PathOf($"damaged-{Guid.NewGuid():N}.ark");
                await File.WriteAllBytesAsync(path, damaged, Cancellation);
                try
                {
                    // The times of members, for one, may be anything.
                    await ArkReader.VerifyAsync(path, null, Cancellation);
                }
                catch (PackageException)
                {
                    await Assert.ThrowsAsync<PackageException>(() => store.ImportAsync(path, null, null, Cancellation));
                }

                File.Delete(path);
            },
            iter: 500);

        Assert.Empty(_temp.StoreContents());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100_000)]
    public async Task ImportAsync_SomethingAfterTheEnd_IsRefused(int distance) =>
        await RefusedAsync("something follows its end", HandMadeArk.Write(_temp, [.. _ark.ToArray(), .. new byte[distance], 1]));

    [Fact]
    public async Task ImportAsync_AnotherArchiveAfterTheEnd_IsRefused() =>
        await RefusedAsync("something follows its end", HandMadeArk.Write(_temp, [.. _ark.ToArray(), .. _ark.ToArray()]));

    [Fact]
    public async Task ImportAsync_EndlessPadding_IsRefused() =>
        await RefusedAsync("bytes follow its last member", HandMadeArk.Write(_temp, [.. _ark.ToArray(), .. new byte[2 << 20]]));

    [Theory]
    [InlineData('x')]
    [InlineData('g')]
    [InlineData('L')]
    [InlineData('K')]
    public async Task ImportAsync_ExtendedHeaderThatTakesMuchMemory_IsRefused(char type) =>
        await RefusedAsync(
            "the extended headers at byte 0 are longer", HandMadeArk.Write(_temp, [.. HandMadeArk.ExtendedHeader(type, 1 << 30), .. _ark.ToArray()]));

    [Fact]
    public async Task ImportAsync_EndlessExtendedHeaders_IsRefused() =>
        await RefusedAsync(
            "the extended headers at byte 0 are longer",
            HandMadeArk.Write(_temp, [.. Enumerable.Repeat(HandMadeArk.ExtendedHeader('L', 0), 1000).SelectMany(header => header), .. _ark.ToArray()]));

    [Theory]
    [InlineData("", "it is empty")]
    [InlineData("This is no tar, but a text that goes on for longer than one of its blocks, which is not that hard.", "hand-made.ark is not a valid archive")]
    public async Task ImportAsync_NoTar_IsRefused(string text, string problem) =>
        await RefusedAsync(problem, HandMadeArk.Write(_temp, Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(text, 20)))));

    [Fact]
    public async Task ImportAsync_EmptyTar_IsRefused() =>
        await RefusedAsync("it is empty", HandMadeArk.Write(_temp, new byte[10240]));

    [Fact]
    public async Task ImportAsync_Pipe_IsRefusedAndDoesNotWait()
    {
        _blueprint.MakePipe("disk");

        var refused = Task.Run(() => RefusedAsync("is not a regular file", _blueprint.PathOf("disk")), Cancellation);

        await refused.WaitAsync(TimeSpan.FromSeconds(30), Cancellation);
    }

    private async Task RefusedAsync(
        string problem, PackageErrorCode code = PackageErrorCode.Invalid, IProgress<PackageProgress>? listener = null) =>
        await RefusedAsync(problem, _ark.Write(), code, listener);

    private async Task RefusedAsync(
        string problem, string path, PackageErrorCode code = PackageErrorCode.Invalid, IProgress<PackageProgress>? listener = null)
    {
        var error = await Assert.ThrowsAsync<PackageException>(() => ImportAsync(listener, path));

        Assert.Equal(code, error.Code);
        Assert.Contains(problem, error.Message);
        Assert.Contains(path, error.Message);
        Assert.Empty(_temp.StoreContents());
    }

    private async Task ImportAsync(IProgress<PackageProgress>? listener, string? path = null) =>
        await (await _temp.OpenStoreAsync()).ImportAsync(path ?? _ark.Write(), null, listener, Cancellation);
}
