using CsCheck;

namespace Architekt.Fabric.Nbd.Tests;

/// <summary>Random operations through client and server against an array that has the same done to it.</summary>
public sealed class ModelTests
{
    private const int Size = 256 << 10;

    private enum Kind
    {
        Read,
        Write,
        Zero,
        ZeroAllocated,
        Flush,
        Extents,
    }

    private sealed record Step(Kind Kind, int Offset, int Length, byte Fill, bool Fua);

    private static readonly Gen<Step> _step = Gen.Select(
        Gen.Enum<Kind>(),
        Gen.OneOf(Gen.Int[0, Size - 1], Gen.Int[0, (Size / 4096) - 1].Select(page => page * 4096)),
        Gen.OneOf(Gen.Int[1, 300], Gen.Int[1, 16].Select(pages => pages * 4096), Gen.Int[1, 100_000]),
        Gen.Byte,
        Gen.Bool,
        (kind, offset, length, fill, fua) => new Step(kind, offset, Math.Min(length, Size - offset), fill, fua));

    public static TheoryData<string, bool> Exports => new() { { "array", false }, { "array", true }, { "memory", false }, { "memory", true }, { "file", false }, { "file", true } };

    [Theory]
    [MemberData(nameof(Exports))]
    public async Task RandomOperations_MatchTheModel(string kind, bool structured)
    {
        await using var server = new TestServer();
        var number = 0;
        await _step.Array[1, 40].SampleAsync(
            async steps =>
            {
                var name = $"{Interlocked.Increment(ref number)}";
                var path = Path.Combine(server.Folder, name);
                await using (var file = File.Create(path))
                    file.SetLength(Size);
                using var files = kind == "file" ? FileExport.Open(name, path) : null;
                server.Server.AddExport(kind switch
                {
                    "array" => new TestExport(name, Size),
                    "memory" => new MemoryExport(name, new byte[Size]),
                    _ => files!,
                });
                await using (var client = await server.ConnectAsync(name, new NbdClientOptions { StructuredReplies = structured, AllocationContext = structured }))
                {
                    var model = new byte[Size];
                    foreach (var step in steps)
                        await RunAsync(client, model, step);
                    await CheckAsync(client, model, 0, Size);
                }

                await server.Server.RemoveExportAsync(name);
                File.Delete(path);
            },
            iter: 60,
            threads: 2);
    }

    private static async Task RunAsync(NbdClient client, byte[] model, Step step)
    {
        var range = model.AsMemory(step.Offset, step.Length);
        switch (step.Kind)
        {
            case Kind.Write:
                range.Span.Fill(step.Fill);
                await client.WriteAsync(step.Offset, range, step.Fua);
                break;
            case Kind.Zero:
                range.Span.Clear();
                await client.WriteZeroesAsync(step.Offset, step.Length, step.Fua ? NbdZeroOptions.ForceUnitAccess : NbdZeroOptions.None);
                break;
            case Kind.ZeroAllocated:
                range.Span.Clear();
                await client.WriteZeroesAsync(step.Offset, step.Length, NbdZeroOptions.NoHole);
                break;
            case Kind.Flush:
                await client.FlushAsync();
                break;
            case Kind.Extents when client.CanGetExtents:
                var extents = await client.GetExtentsAsync(step.Offset, step.Length);
                Assert.Equal((step.Offset, step.Offset + step.Length), (extents[0].Offset, extents[^1].End));
                Assert.All(extents.Where(extent => extent.IsZero), extent => Assert.Equal(-1, model.AsSpan((int)extent.Offset, (int)extent.Length).IndexOfAnyExcept((byte)0)));
                break;
            default:
                await CheckAsync(client, model, step.Offset, step.Length);
                break;
        }
    }

    private static async Task CheckAsync(NbdClient client, byte[] model, int offset, int length)
    {
        var read = new byte[length];
        await client.ReadAsync(offset, read);
        Assert.True(read.AsSpan().SequenceEqual(model.AsSpan(offset, length)), $"{length} bytes at {offset} differ");
    }
}
