using Architekt.Fabric.Memory;
using Architekt.Fabric.Peer.Machine;
using Architekt.Fabric.Peer.Migration;

namespace Architekt.Fabric.Peer.Tests.Migration;

public sealed class KnownBaseFormatTests
{
    private const int Page = GuestMemory.PageSize;
    private const long Length = 100 * Page;

    [Fact]
    public void Read_WhatWasWritten_IsTheSame()
    {
        var differing = new PageSet(Length);
        differing.Add(new PageRange(3 * Page, 2 * Page));

        var read = KnownBaseFormat.Read(KnownBaseFormat.Write([new KnownBase("sha256-a", differing), new KnownBase("visit/ü", new PageSet(Length))]), Length);

        Assert.Equal(["sha256-a", "visit/ü"], read.Select(static known => known.Name));
        Assert.Equal([new PageRange(3 * Page, 2 * Page)], read[0].Differing);
        Assert.True(read[1].Differing.IsEmpty);
    }

    [Fact]
    public void Read_CutShortAnywhere_IsRefused()
    {
        var bytes = KnownBaseFormat.Write([new KnownBase("sha256-a", new PageSet(Length))]);

        for (var length = 1; length < bytes.Length; length++)
            Assert.Throws<InvalidDataException>(() => KnownBaseFormat.Read(bytes.AsSpan(0, length), Length));
    }

    [Fact]
    public void Read_RamOfAnotherSize_IsRefused() => Assert.Throws<InvalidDataException>(
        () => KnownBaseFormat.Read(KnownBaseFormat.Write([new KnownBase("sha256-a", new PageSet(Length))]), Length + Page));

    [Fact]
    public void Leaving_GuestThatBooted_OnlyWhatItLeavesIsABase()
    {
        var known = MemoryBases.Leaving(null, "visit/0", Length);
        Assert.Equal(["visit/0"], known.Select(static one => one.Name));
    }
}
