using System.Buffers.Binary;
using System.Text;

namespace Architekt.Fabric.Nbd.Tests;

public sealed class HandshakeTests
{
    private const uint Unsupported = 0x80000001;
    private const uint Invalid = 0x80000003;
    private const uint Unknown = 0x80000006;
    private const uint TooBig = 0x80000009;

    private static TestServer Create() => new(
        new TestExport("disk", 8192) { Description = "a disk", CanMultiConn = true },
        new TestExport("ro", 4096) { IsReadOnly = true },
        new TestExport("secret", 4096) { IsListed = false },
        new TestExport("", 512));

    [Fact]
    public async Task ExportName_WithoutNoZeroes_Pads124Bytes()
    {
        await using var server = Create();
        using var client = new RawClient(server.EndPoint);
        client.Greet(clientFlags: 1);
        client.Option(1, "disk"u8);
        var reply = client.Receive(134);
        Assert.Equal(8192u, BinaryPrimitives.ReadUInt64BigEndian(reply));
        Assert.Equal(0b1101_0110_1101, BinaryPrimitives.ReadUInt16BigEndian(reply.AsSpan(8)));
        Assert.All(reply[10..], value => Assert.Equal(0, value));
        client.Request(0, 1, 0, 4);
        Assert.Equal(new byte[4], client.Reply(4).Data);
    }

    [Fact]
    public async Task ExportName_WithNoZeroes_PadsNothing()
    {
        await using var server = Create();
        using var client = new RawClient(server.EndPoint);
        client.Greet();
        client.Option(1, "disk"u8);
        client.Receive(10);
        client.Request(0, 7, 0, 4);
        Assert.Equal(7u, client.Reply(4).Cookie);
    }

    [Theory]
    [InlineData("nobody")]
    [InlineData("disk\0")]
    public async Task ExportName_Unknown_Disconnects(string name)
    {
        await using var server = Create();
        using var client = new RawClient(server.EndPoint);
        client.Greet();
        client.Option(1, Encoding.UTF8.GetBytes(name));
        Assert.Empty(client.ReceiveToEnd());
    }

    [Fact]
    public async Task ClientFlags_Unknown_Disconnects()
    {
        await using var server = Create();
        using var client = new RawClient(server.EndPoint);
        client.Greet(clientFlags: 0x80000001);
        Assert.Empty(client.ReceiveToEnd());
    }

    [Fact]
    public async Task Abort_WithData_AcknowledgesAndCloses()
    {
        await using var server = Create();
        using var client = new RawClient(server.EndPoint);
        client.Greet();
        client.Option(2, 1, 2, 3);
        Assert.Equal(1u, client.OptionReply(2).Type);
        Assert.Empty(client.ReceiveToEnd());
    }

    [Fact]
    public async Task List_HiddenExport_IsNotListedButOpens()
    {
        await using var server = Create();
        using var client = new RawClient(server.EndPoint);
        client.Greet();
        client.Option(3);
        var replies = client.OptionReplies(3);
        Assert.Equal([2u, 2u, 2u, 1u], replies.Select(reply => reply.Type));
        Assert.Equal([0, 0, 0, 4, .. "disk"u8, .. "a disk"u8], replies[1].Data);
        Assert.DoesNotContain(replies, reply => Encoding.UTF8.GetString(reply.Data).Contains("secret", StringComparison.Ordinal));
        client.Option(7, RawClient.ExportRequest("secret"));
        Assert.Equal(1u, client.OptionReplies(7)[^1].Type);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(8)]
    public async Task Option_WithDataItMustNotHave_IsInvalid(uint option)
    {
        await using var server = Create();
        using var client = new RawClient(server.EndPoint);
        client.Greet();
        client.Option(option, 1);
        Assert.Equal(Invalid, client.OptionReply(option).Type);
    }

    [Theory]
    [InlineData(4, 0)]
    [InlineData(5, 0)]
    [InlineData(11, 0)]
    [InlineData(0xdeadbeef, 100)]
    [InlineData(0xdeadbeef, 300_000)]
    public async Task Option_Unknown_IsUnsupportedAndItsDataConsumed(uint option, int length)
    {
        await using var server = Create();
        using var client = new RawClient(server.EndPoint);
        client.Greet();
        client.Option(option, new byte[length]);
        Assert.Equal(Unsupported, client.OptionReply(option).Type);
        client.Option(7, RawClient.ExportRequest("disk"));
        Assert.Equal([3u, 1u], client.OptionReplies(7).Select(reply => reply.Type));
    }

    [Fact]
    public async Task Go_WithTooMuchData_IsTooBigAndItsDataConsumed()
    {
        await using var server = Create();
        using var client = new RawClient(server.EndPoint);
        client.Greet();
        client.Option(7, new byte[1 << 20]);
        Assert.Equal(TooBig, client.OptionReply(7).Type);
        client.Option(3);
        Assert.Equal(1u, client.OptionReplies(3)[^1].Type);
    }

    [Theory]
    [InlineData(6)]
    [InlineData(7)]
    public async Task Info_WithEveryRequest_TellsAll(uint option)
    {
        await using var server = Create();
        using var client = new RawClient(server.EndPoint);
        client.Greet();
        client.Option(option, RawClient.ExportRequest("disk", 0, 1, 2, 3, 99));
        var replies = client.OptionReplies(option);
        Assert.Equal([3u, 3u, 3u, 3u, 1u], replies.Select(reply => reply.Type));
        Assert.Equal([0, 0, 0, 0, 0, 0, 0, 0, 0x20, 0, 0x0d, 0x6d], replies[0].Data);
        Assert.Equal([0, 1, .. "disk"u8], replies[1].Data);
        Assert.Equal([0, 2, .. "a disk"u8], replies[2].Data);
        Assert.Equal([0, 3, 0, 0, 0, 1, 0, 0, 0x10, 0, 2, 0, 0, 0], replies[3].Data);
    }

    [Fact]
    public async Task Info_UnknownExport_IsUnknownAndHandshakeGoesOn()
    {
        await using var server = Create();
        using var client = new RawClient(server.EndPoint);
        client.Greet();
        client.Option(6, RawClient.ExportRequest("nobody"));
        Assert.Equal(Unknown, client.OptionReply(6).Type);
        client.Option(7, RawClient.ExportRequest("nobody"));
        Assert.Equal(Unknown, client.OptionReply(7).Type);
        client.Option(7, RawClient.ExportRequest(""));
        Assert.Equal(1u, client.OptionReplies(7)[^1].Type);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0000")]
    [InlineData("000000040102")]
    [InlineData("ffffffff0000")]
    [InlineData("0000000000020000")]
    [InlineData("00000000000009")]
    [InlineData("00000001ff0000")]
    public async Task Go_Malformed_IsInvalid(string hex)
    {
        await using var server = Create();
        using var client = new RawClient(server.EndPoint);
        client.Greet();
        client.Option(7, Convert.FromHexString(hex));
        Assert.Equal(Invalid, client.OptionReply(7).Type);
        client.Option(7, RawClient.ExportRequest("ro"));
        Assert.Equal(1u, client.OptionReplies(7)[^1].Type);
    }

    [Fact]
    public async Task ReadOnlyExport_Flags_OfferNoWrites()
    {
        await using var server = Create();
        await using var client = await server.ConnectAsync("ro");
        Assert.Equal(
            NbdFeatures.HasFlags | NbdFeatures.ReadOnly | NbdFeatures.Flush | NbdFeatures.ForceUnitAccess | NbdFeatures.Cache | NbdFeatures.DoNotFragment,
            client.Flags);
    }

    [Fact]
    public async Task MetaContext_WithoutStructuredReplies_IsInvalid()
    {
        await using var server = Create();
        using var client = new RawClient(server.EndPoint);
        client.Greet();
        client.Option(10, RawClient.ContextRequest("disk", "base:allocation"));
        Assert.Equal(Invalid, client.OptionReply(10).Type);
    }

    [Theory]
    [InlineData(9, true)]
    [InlineData(9, true, "base:")]
    [InlineData(9, true, "x-other:thing", "base:allocation")]
    [InlineData(9, false, "base:other")]
    [InlineData(10, false)]
    [InlineData(10, false, "base:")]
    [InlineData(10, true, "qemu:dirty-bitmap:b", "base:allocation", "base:allocation")]
    public async Task MetaContext_Queries_SelectOnlyAllocation(uint option, bool selects, params string[] queries)
    {
        await using var server = Create();
        using var client = new RawClient(server.EndPoint);
        client.Greet();
        client.Option(8);
        client.OptionReply(8);
        client.Option(option, RawClient.ContextRequest("disk", queries));
        var replies = client.OptionReplies(option);
        Assert.Equal(selects ? [4u, 1u] : [1u], replies.Select(reply => reply.Type));
        if (selects)
            Assert.Equal([0, 0, 0, (byte)(option == 9 ? 0 : 1), .. "base:allocation"u8], replies[0].Data);
    }

    [Fact]
    public async Task SetMetaContext_ForAnotherExport_DoesNotCount()
    {
        await using var server = Create();
        using var client = new RawClient(server.EndPoint);
        client.Greet();
        client.Option(8);
        client.OptionReply(8);
        client.Option(10, RawClient.ContextRequest("ro", "base:allocation"));
        client.OptionReplies(10);
        client.Option(7, RawClient.ExportRequest("disk"));
        client.OptionReplies(7);
        client.Request(7, 1, 0, 4096);
        Assert.Equal(22u, client.Reply().Error);
    }

    [Fact]
    public async Task SetMetaContext_FailedAfterSuccess_ClearsTheSelection()
    {
        await using var server = Create();
        using var client = new RawClient(server.EndPoint);
        client.Greet();
        client.Option(8);
        client.OptionReply(8);
        client.Option(10, RawClient.ContextRequest("disk", "base:allocation"));
        client.OptionReplies(10);
        client.Option(10, 1, 2, 3);
        Assert.Equal(Invalid, client.OptionReply(10).Type);
        client.Option(7, RawClient.ExportRequest("disk"));
        client.OptionReplies(7);
        client.Request(7, 1, 0, 4096);
        Assert.Equal(22u, client.Reply().Error);
    }

    [Fact]
    public async Task DefaultExportName_EmptyName_OpensIt()
    {
        await using var server = new TestServer(new NbdServerOptions { DefaultExportName = "disk" }, new TestExport("disk", 8192));
        await using var client = await server.ConnectAsync();
        Assert.Equal(8192, client.Size);
    }
}
