using System.Formats.Tar;
using Architekt.Fabric.Blueprints.Layers;
using Architekt.Fabric.Blueprints.Tests.Support;
using CsCheck;

namespace Architekt.Fabric.Blueprints.Tests.Layers;

public sealed class LayerReaderTests : LayerFixture
{
    // CAP_SETUID, as newuidmap has it: struct vfs_cap_data, include/uapi/linux/capability.h. Its 0x80 is no UTF-8.
    private static readonly byte[] _capability = [1, 0, 0, 2, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    [Fact]
    public async Task ExtendedAttributes_KeepTheirBytes()
    {
        byte[] odd = [0xff, (byte)'\n', 0, (byte)'=', 0xc3];
        byte[] tar =
        [
            .. PaxHeader.FileWithAttributes("with", ("security.capability", _capability), ("user.odd", odd), ("com.apple.quarantine", [1])),
            .. new TarBuilder().File("without").Build(),
        ];
        var entries = await ReadAsync(tar);
        var with = entries.Single(entry => entry.ToString() == "/with").Inode!.Attributes;
        Assert.Equal(["security.capability", "user.odd"], with.Keys.Order());
        Assert.Equal(_capability, with["security.capability"]);
        Assert.Equal(odd, with["user.odd"]);
        Assert.Empty(entries.Single(entry => entry.ToString() == "/without").Inode!.Attributes);
    }

    [Fact]
    public void ExtendedAttributes_AreFoundHoweverTheTarIsRead() => Gen.Select(Gen.Int[1, 700], Gen.Byte.Array[0, 600], Gen.Int[0, 1500]).Sample((chunk, value, size) =>
    {
        byte[] tar = [.. new TarBuilder().File("before", new string('x', size)).Build()[..^1024], .. PaxHeader.FileWithAttributes("a", ("user.v", value))];
        using var tap = new PaxTap(new MemoryStream(tar));
        var buffer = new byte[chunk];
        while (tap.Read(buffer) > 0)
        {
        }

        Assert.Equal(value, tap.TakeAttributes()["user.v"]);
    }, iter: 500);

    [Theory]
    [InlineData(TarEntryFormat.Pax)]
    [InlineData(TarEntryFormat.Gnu)]
    public async Task LongNames_AreKept(TarEntryFormat format)
    {
        var path = $"{new string('d', 255)}/{new string('e', 200)}/ü{new string('f', 200)}";
        var target = new string('t', 300);
        using var content = new MemoryStream();
        using (var writer = new TarWriter(content, format, leaveOpen: true))
        {
            TarEntry link = format == TarEntryFormat.Pax ? new PaxTarEntry(TarEntryType.SymbolicLink, path) : new GnuTarEntry(TarEntryType.SymbolicLink, path);
            link.LinkName = target;
            writer.WriteEntry(link);
        }

        var entry = Assert.Single(await ReadAsync(content.ToArray()));
        Assert.Equal("/" + path, entry.ToString());
        Assert.Equal(target, entry.Inode!.Target);
    }

    [Fact]
    public async Task DevicesAndOwners_AreRead()
    {
        using var tar = new TarBuilder()
            .Device("null", TarEntryType.CharacterDevice, 1, 3).Device("disk", TarEntryType.BlockDevice, 259, 60000, 0x1B0).Fifo("fifo").File("set-id", "x", 0x9ED, 100_000, 70_000);
        var entries = (await ReadAsync(tar.Build())).ToDictionary(entry => entry.ToString(), entry => entry.Inode!);
        Assert.Equal((FileKind.CharacterDevice, 1, 3), (entries["/null"].Kind, entries["/null"].DeviceMajor, entries["/null"].DeviceMinor));
        Assert.Equal((FileKind.BlockDevice, 259, 60000), (entries["/disk"].Kind, entries["/disk"].DeviceMajor, entries["/disk"].DeviceMinor));
        Assert.Equal(FileKind.Fifo, entries["/fifo"].Kind);
        Assert.Equal((0x9ED, 100_000u, 70_000u), (entries["/set-id"].Mode, entries["/set-id"].UserId, entries["/set-id"].GroupId));
        Assert.Equal(TarBuilder.Time.ToUnixTimeSeconds(), entries["/set-id"].ModifiedAt);
    }

    [Theory]
    [InlineData("line\nbreak")]
    [InlineData("return\r")]
    public async Task NamesThatCannotBePutOnADisk_AreRefused(string name)
    {
        using var content = new MemoryStream();
        using (var writer = new TarWriter(content, TarEntryFormat.Ustar, leaveOpen: true))
            writer.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name));
        Assert.Contains("line break", await RefusalAsync(BlueprintErrorCode.Unsupported, () => ReadAsync(content.ToArray())), StringComparison.Ordinal);
    }

    [Fact]
    public async Task TruncatedTar_IsRefused()
    {
        using var tar = new TarBuilder().File("a", new string('x', 5000));
        var bytes = tar.Build();
        await RefusalAsync(BlueprintErrorCode.Invalid, () => ReadAsync(bytes[..3000]));
    }

    [Fact]
    public async Task WhiteoutOfNothing_IsRefused()
    {
        using var tar = new TarBuilder().File("a/.wh...");
        await RefusalAsync(BlueprintErrorCode.Invalid, () => ReadAsync(tar.Build()));
    }
}
