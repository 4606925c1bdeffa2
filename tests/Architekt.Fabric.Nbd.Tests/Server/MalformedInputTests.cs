using CsCheck;

namespace Architekt.Fabric.Nbd.Tests;

/// <summary>Whatever bytes arrive, the server survives, forgets the connection and serves the next client.</summary>
public sealed class MalformedInputTests
{
    private const int Size = 64 << 10;

    /// <summary>Pieces that get past the first checks, so that the random ones reach deep.</summary>
    private static readonly Gen<byte[]> _piece = Gen.OneOf(
        Gen.Byte.Array[0, 64],
        Gen.Const("IHAVEOPT"u8.ToArray()),
        Gen.Select(Gen.UInt[0, 12], Gen.Byte.Array[0, 40], (option, data) => (byte[])[.. "IHAVEOPT"u8, .. RawClient.Big32(option), .. RawClient.Big32((uint)data.Length), .. data]),
        Gen.Select(Gen.UInt[0, 12], Gen.UInt, (option, length) => (byte[])[.. "IHAVEOPT"u8, .. RawClient.Big32(option), .. RawClient.Big32(length)]),
        Gen.Const((byte[])[.. "IHAVEOPT"u8, 0, 0, 0, 8, 0, 0, 0, 0]),
        Gen.Const((byte[])[.. "IHAVEOPT"u8, 0, 0, 0, 7, 0, 0, 0, 7, .. RawClient.ExportRequest("d")]),
        Gen.Select(Gen.UShort[0, 32], Gen.UShort[0, 9], Gen.ULong[0, Size + 100], Gen.UInt[0, Size], Request),
        Gen.Select(Gen.UShort, Gen.UShort[0, 9], Gen.ULong, Gen.UInt, Request));

    private static readonly Gen<byte[]> _conversation = Gen.Select(
        Gen.OneOf(Gen.Const<byte[]>([0, 0, 0, 3]), Gen.Const<byte[]>([0, 0, 0, 1]), Gen.Byte.Array[0, 8]),
        _piece.Array[0, 12],
        Gen.Bool,
        (start, pieces, open) => (byte[])[.. start, .. open ? (byte[])[.. "IHAVEOPT"u8, 0, 0, 0, 7, 0, 0, 0, 7, .. RawClient.ExportRequest("d")] : [], .. pieces.SelectMany(piece => piece)]);

    [Fact]
    public async Task RandomBytes_ServerSurvivesAndServesTheNextClient()
    {
        await using var server = new TestServer(new TestExport("d", Size), new MemoryExport("m", new byte[Size]));
        _conversation.Sample(
            bytes =>
            {
                using (var bad = new RawClient(server.EndPoint))
                {
                    bad.SendAsFarAsItGoes(bytes);
                    bad.ReceiveToEnd();
                }

                using var good = new RawClient(server.EndPoint);
                good.Open("d", structured: true);
                good.Request(0, 1, 0, 512);
                return good.Reply().Error == 0;
            },
            iter: 400,
            threads: 2);
        await Until.TrueAsync(() => server.Server.ConnectionCount == 0, "every connection is gone");
    }

    [Fact]
    public async Task EveryPrefixOfAConversation_ThenDisconnect_IsSurvived()
    {
        var export = new MemoryExport("d", new byte[Size]);
        await using var server = new TestServer(export);
        byte[] conversation =
        [
            0, 0, 0, 3, .. "IHAVEOPT"u8, 0, 0, 0, 8, 0, 0, 0, 0, .. "IHAVEOPT"u8, 0, 0, 0, 7, 0, 0, 0, 7, .. RawClient.ExportRequest("d"),
            .. Request(1, 1, 0, 32), .. new byte[32], .. Request(0, 0, 0, 32),
        ];
        for (var length = 0; length <= conversation.Length; length++)
        {
            using var client = new RawClient(server.EndPoint);
            client.SendAsFarAsItGoes(conversation.AsSpan(0, length));
            client.ReceiveToEnd();
        }

        await Until.TrueAsync(() => server.Server.ConnectionCount == 0, "every connection is gone");
        Assert.True(await server.Server.RemoveExportAsync("d", TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task HugeClaims_DoNotAllocate()
    {
        await using var server = new TestServer(new TestExport("d", Size));
        var before = GC.GetTotalAllocatedBytes();
        for (var i = 0; i < 50; i++)
        {
            using var client = new RawClient(server.EndPoint);
            client.Greet();
            client.Send([.. "IHAVEOPT"u8, 0, 0, 0, 10, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]);
            using var writer = new RawClient(server.EndPoint);
            writer.Open("d", structured: false);
            writer.Request(1, 1, 0, uint.MaxValue, 0, 1, 2, 3);
        }

        await Until.TrueAsync(() => server.Server.ConnectionCount == 0, "every connection is gone");
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 100L << 20);
    }

    private static byte[] Request(ushort flags, ushort command, ulong offset, uint length) =>
    [
        0x25, 0x60, 0x95, 0x13, .. RawClient.Big16(flags), .. RawClient.Big16(command), 0, 0, 0, 0, 0, 0, 0, 1,
        .. RawClient.Big32((uint)(offset >> 32)), .. RawClient.Big32((uint)offset), .. RawClient.Big32(length),
    ];
}
