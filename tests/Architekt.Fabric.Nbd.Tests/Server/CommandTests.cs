using System.Buffers.Binary;

namespace Architekt.Fabric.Nbd.Tests;

/// <summary>Every command and every refusal, with simple and with structured replies.</summary>
public sealed class CommandTests
{
    private const int Size = 1 << 20;
    private const uint Eperm = 1;
    private const uint Eio = 5;
    private const uint Einval = 22;
    private const uint Enospc = 28;
    private const uint Eoverflow = 75;
    private const uint Enotsup = 95;
    private const ushort Fua = 1;
    private const ushort NoHole = 2;
    private const ushort DontFragment = 4;
    private const ushort RequestOne = 8;
    private const ushort FastZero = 16;

    public static TheoryData<bool> Modes => [false, true];

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Read_InRange_ReturnsData(bool structured)
    {
        var export = new TestExport("d", Size);
        Random.Shared.NextBytes(export.Data);
        await using var server = new TestServer(export);
        using var client = new RawClient(server.EndPoint);
        client.Open("d", structured);
        client.Request(0, 42, 100, 5000);
        var reply = client.Reply(5000);
        Assert.Equal(42u, reply.Cookie);
        Assert.Equal(structured ? (ushort)1 : null, reply.ChunkType);
        if (structured)
            Assert.Equal(100u, BinaryPrimitives.ReadUInt64BigEndian(reply.Data));
        Assert.Equal(export.Data[100..5100], structured ? reply.Data[8..] : reply.Data);
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 0)]
    [InlineData(false, Fua)]
    [InlineData(true, Fua)]
    public async Task Write_InRange_WritesAndFlushesWhenForced(bool structured, ushort flags)
    {
        var export = new TestExport("d", Size);
        await using var server = new TestServer(export);
        using var client = new RawClient(server.EndPoint);
        client.Open("d", structured);
        client.Request(1, 1, 10, 4, flags, 1, 2, 3, 4);
        var reply = client.Reply();
        Assert.Equal(0u, reply.Error);
        Assert.Equal([0, 1, 2, 3, 4, 0], export.Data[9..15]);
        Assert.Equal(flags == Fua ? 1 : 0, export.Flushes);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task FlushTrimCache_InRange_Succeed(bool structured)
    {
        var export = new TestExport("d", Size);
        await using var server = new TestServer(export);
        using var client = new RawClient(server.EndPoint);
        client.Open("d", structured);
        foreach (var (command, length) in new (ushort, uint)[] { (3, 0), (4, 4096), (5, 4096) })
        {
            client.Request(command, command, 0, length);
            var reply = client.Reply();
            Assert.Equal((command, 0u), (reply.Cookie, reply.Error));
        }

        Assert.Equal(1, export.Flushes);
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 0)]
    [InlineData(true, NoHole)]
    [InlineData(true, NoHole | Fua)]
    [InlineData(false, FastZero)]
    public async Task WriteZeroes_InRange_Zeroes(bool structured, ushort flags)
    {
        var export = new TestExport("d", Size) { CanFastZero = true };
        export.Data.AsSpan().Fill(9);
        await using var server = new TestServer(export);
        using var client = new RawClient(server.EndPoint);
        client.Open("d", structured);
        client.Request(6, 1, 4096, 8192, flags);
        Assert.Equal(0u, client.Reply().Error);
        Assert.Equal([9, 0], export.Data[4095..4097]);
        Assert.Equal([0, 9], export.Data[12287..12289]);
        Assert.Equal((flags & Fua) != 0 ? 1 : 0, export.Flushes);
    }

    [Theory]
    [InlineData(false, FastZero)]
    [InlineData(true, FastZero | NoHole)]
    public async Task FastZero_NotFast_IsRefusedAndChangesNothing(bool canFastZero, ushort flags)
    {
        var export = new TestExport("d", Size) { CanFastZero = canFastZero };
        export.Data.AsSpan().Fill(9);
        await using var server = new TestServer(export);
        using var client = new RawClient(server.EndPoint);
        client.Open("d", structured: true);
        client.Request(6, 1, 0, 4096, flags);
        Assert.Equal(Enotsup, client.Reply().Error);
        Assert.Equal(9, export.Data[0]);
    }

    [Theory]
    [InlineData(0, Size - 4, 5, 0, Einval)]
    [InlineData(0, Size + 1, 1, 0, Einval)]
    [InlineData(0, ulong.MaxValue, 1, 0, Einval)]
    [InlineData(0, ulong.MaxValue, 0, 0, Einval)]
    [InlineData(0, 0, (32 << 20) + 1, 0, Einval)]
    [InlineData(1, Size - 4, 5, 0, Enospc)]
    [InlineData(1, 0, Size + 1, 0, Enospc)]
    [InlineData(6, Size - 4, 5, 0, Enospc)]
    [InlineData(6, ulong.MaxValue - 1, 2, 0, Enospc)]
    [InlineData(4, Size - 4, 5, 0, Einval)]
    [InlineData(5, Size - 4, 5, 0, Einval)]
    [InlineData(7, Size - 4, 5, 0, Einval)]
    [InlineData(7, 0, 0, 0, Einval)]
    [InlineData(3, 1, 0, 0, Einval)]
    [InlineData(3, 0, 1, 0, Einval)]
    [InlineData(8, 0, 0, 0, Einval)]
    [InlineData(999, 0, 10, 0, Einval)]
    [InlineData(0, 0, 1, NoHole, Einval)]
    [InlineData(0, 0, 1, RequestOne, Einval)]
    [InlineData(0, 0, 1, 0x8000, Einval)]
    [InlineData(1, 0, 1, DontFragment, Einval)]
    [InlineData(1, 0, 1, NoHole, Einval)]
    [InlineData(3, 0, 0, 2, Einval)]
    [InlineData(4, 0, 1, NoHole, Einval)]
    [InlineData(5, 0, 1, NoHole, Einval)]
    [InlineData(6, 0, 1, DontFragment, Einval)]
    [InlineData(7, 0, 1, FastZero, Einval)]
    public async Task IllegalRequest_IsRefusedAndConnectionLives(ushort command, ulong offset, uint length, ushort flags, uint expected)
    {
        await using var server = new TestServer(new TestExport("d", Size));
        foreach (var structured in new[] { false, true })
        {
            using var client = new RawClient(server.EndPoint);
            client.Open("d", structured, context: structured);
            client.Request(command, 5, offset, length, flags, command == 1 ? new byte[length] : []);
            var reply = client.Reply();
            Assert.Equal((5u, expected), (reply.Cookie, reply.Error));
            if (structured)
                Assert.True(reply.Data.Length > 6, "a structured error says in words what is wrong");
            client.Request(0, 6, 0, 16);
            var alive = client.Reply(16);
            Assert.Equal((6u, 0u), (alive.Cookie, alive.Error));
        }
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task TooLong_ReadAndWrite_AreRefusedAndConnectionLives(bool structured)
    {
        const uint TooLong = (32 << 20) + 1;
        await using var server = new TestServer(new TestExport("d", 64 << 20));
        using var client = new RawClient(server.EndPoint);
        client.Open("d", structured);
        client.Request(0, 1, 0, TooLong);
        Assert.Equal(Einval, client.Reply().Error);
        client.Request(1, 2, 0, TooLong, 0, new byte[TooLong]);
        Assert.Equal(Einval, client.Reply().Error);
        client.Request(0, 3, 0, TooLong, DontFragment);
        Assert.Equal(structured ? Eoverflow : Einval, client.Reply().Error);
        client.Request(0, 4, 0, 32 << 20);
        Assert.Equal(0u, client.Reply(32 << 20).Error);
    }

    [Fact]
    public async Task Read_DontFragment_ComesInOneChunk()
    {
        await using var server = new TestServer(new TestExport("d", Size));
        using var client = new RawClient(server.EndPoint);
        client.Open("d", structured: true);
        client.Request(0, 1, 0, Size, DontFragment);
        Assert.Equal(8 + Size, client.Reply().Data.Length);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task ZeroLength_ReadWriteTrimZero_Succeed(bool structured)
    {
        await using var server = new TestServer(new TestExport("d", Size));
        using var client = new RawClient(server.EndPoint);
        client.Open("d", structured);
        foreach (ushort command in new[] { 0, 1, 4, 5, 6 })
        {
            client.Request(command, command, Size, 0);
            var reply = client.Reply();
            Assert.Equal((command, 0u), (reply.Cookie, reply.Error));
        }
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 1)]
    [InlineData(true, 4)]
    [InlineData(true, 6)]
    public async Task ReadOnly_Writes_AreNotPermitted(bool structured, ushort command)
    {
        var export = new TestExport("d", Size) { IsReadOnly = true };
        await using var server = new TestServer(export);
        using var client = new RawClient(server.EndPoint);
        client.Open("d", structured);
        client.Request(command, 1, 0, 3, 0, command == 1 ? [1, 2, 3] : []);
        Assert.Equal(Eperm, client.Reply().Error);
        Assert.Equal(new byte[3], export.Data[..3]);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task ExportError_ReachesTheClient(bool structured)
    {
        var export = new TestExport("d", Size) { Before = _ => Task.FromResult(NbdError.NoSpace) };
        await using var server = new TestServer(export);
        using var client = new RawClient(server.EndPoint);
        client.Open("d", structured);
        client.Request(1, 1, 0, 1, 0, 7);
        Assert.Equal(Enospc, client.Reply().Error);
        client.Request(0, 1, 0, 1);
        Assert.Equal(Enospc, client.Reply().Error);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task ExportException_IsAnInputOutputError(bool structured)
    {
        var export = new TestExport("d", Size) { Before = _ => throw new InvalidOperationException("broken storage") };
        await using var server = new TestServer(export);
        using var client = new RawClient(server.EndPoint);
        client.Open("d", structured);
        foreach (ushort command in new[] { 0, 1, 3, 4, 6 })
        {
            client.Request(command, command, 0, command == 3 ? 0u : 1u, 0, command == 1 ? [1] : []);
            Assert.Equal(Eio, client.Reply().Error);
        }
    }

    [Fact]
    public async Task ForcedWrite_FlushFails_ReportsIt()
    {
        var calls = 0;
        var export = new TestExport("d", Size) { Before = _ => Task.FromResult(++calls == 2 ? NbdError.InputOutput : NbdError.None) };
        await using var server = new TestServer(export);
        using var client = new RawClient(server.EndPoint);
        client.Open("d", structured: false);
        client.Request(1, 1, 0, 1, Fua, 7);
        Assert.Equal(Eio, client.Reply().Error);
    }

    [Fact]
    public async Task BlockStatus_ReportsJoinedExtents()
    {
        var export = new TestExport("d", 10 * 4096);
        export.Data[3 * 4096] = 1;
        export.Data[4 * 4096] = 1;
        await using var server = new TestServer(export);
        using var client = new RawClient(server.EndPoint);
        client.Open("d", structured: true, context: true);
        client.Request(7, 1, 100, (8 * 4096) - 100);
        var reply = client.Reply();
        Assert.Equal((ushort)5, reply.ChunkType);
        Assert.Equal(
            [.. RawClient.Big32(1), .. RawClient.Big32((3 * 4096) - 100), .. RawClient.Big32(3), .. RawClient.Big32(2 * 4096), .. RawClient.Big32(0), .. RawClient.Big32(3 * 4096), .. RawClient.Big32(3)],
            reply.Data);

        client.Request(7, 2, 100, 8 * 4096, RequestOne);
        Assert.Equal([.. RawClient.Big32(1), .. RawClient.Big32((3 * 4096) - 100), .. RawClient.Big32(3)], client.Reply().Data);
    }

    [Fact]
    public async Task BlockStatus_WithoutContext_IsInvalid()
    {
        await using var server = new TestServer(new TestExport("d", Size));
        foreach (var structured in new[] { false, true })
        {
            using var client = new RawClient(server.EndPoint);
            client.Open("d", structured);
            client.Request(7, 1, 0, 4096);
            Assert.Equal(Einval, client.Reply().Error);
        }
    }

    [Fact]
    public async Task Disconnect_WithRequestsInWork_AnswersThemFirst()
    {
        var hold = new TaskCompletionSource<NbdError>(TaskCreationOptions.RunContinuationsAsynchronously);
        var export = new TestExport("d", Size) { Before = _ => hold.Task };
        await using var server = new TestServer(export);
        using var client = new RawClient(server.EndPoint);
        client.Open("d", structured: false);
        client.Request(1, 1, 0, 1, 0, 7);
        client.Request(2, 2, 0, 0);
        await Until.TrueAsync(() => export.InWork == 1, "the write is in work");
        hold.SetResult(NbdError.None);
        var reply = client.Reply();
        Assert.Equal((1u, 0u), (reply.Cookie, reply.Error));
        Assert.Empty(client.ReceiveToEnd());
        Assert.Equal(7, export.Data[0]);
    }

    [Fact]
    public async Task SlowRequest_DoesNotHoldUpLaterOnes()
    {
        var hold = new TaskCompletionSource<NbdError>(TaskCreationOptions.RunContinuationsAsynchronously);
        var calls = 0;
        var export = new TestExport("d", Size) { Before = _ => Interlocked.Increment(ref calls) == 1 ? hold.Task : Task.FromResult(NbdError.None) };
        await using var server = new TestServer(export);
        using var client = new RawClient(server.EndPoint);
        client.Open("d", structured: false);
        client.Request(0, 1, 0, 8);
        client.Request(0, 2, 0, 8);
        Assert.Equal(2u, client.Reply(8).Cookie);
        hold.SetResult(NbdError.None);
        Assert.Equal(1u, client.Reply(8).Cookie);
    }

    [Fact]
    public async Task InFlightLimit_HoldsBackReading()
    {
        var hold = new TaskCompletionSource<NbdError>(TaskCreationOptions.RunContinuationsAsynchronously);
        var export = new TestExport("d", Size) { Before = _ => hold.Task };
        await using var server = new TestServer(new NbdServerOptions { MaxRequestsInFlight = 3 }, export);
        using var client = new RawClient(server.EndPoint);
        client.Open("d", structured: false);
        for (ulong i = 0; i < 10; i++)
            client.Request(0, i, 0, 8);
        await Until.TrueAsync(() => export.InWork == 3, "three requests are in work");
        using (var other = new RawClient(server.EndPoint))
        {
            other.Open("d", structured: false);
            other.Request(0, 1, 0, 8);
            await Until.TrueAsync(() => export.InWork == 4, "another connection has a limit of its own");
        }

        Assert.Equal(4, export.InWork);
        hold.SetResult(NbdError.None);
        Assert.Equal(10, Enumerable.Range(0, 10).Select(_ => client.Reply(8).Cookie).Distinct().Count());
    }
}
