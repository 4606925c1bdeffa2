using System.Buffers.Binary;
using CsCheck;

namespace Architekt.Fabric.Packages.Tests.Archive;

public sealed class FrameTests : IDisposable
{
    private readonly TempFolder _temp = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _temp.Dispose();

    [Fact]
    public void TryMatch_AnyNumberOfZeros_GivesItBack() =>
        Gen.OneOf(Gen.Long[1, ZeroFrame.MaxZeros], Gen.Long[1, 300_000], Gen.Long[1, 8192].Select(blocks => blocks * 128 * 1024)).Sample(zeros =>
        {
            byte[] frame = [.. ZeroFrame.Of(zeros).Single().Span, 1, 2, 3];

            Assert.True(ZeroFrame.TryMatch(frame, out var found, out var length));
            Assert.Equal((zeros, frame.Length - 3), (found, length));
            Assert.InRange(length, 1, ZeroFrame.MaxLength);
            Assert.False(ZeroFrame.TryMatch(frame.AsSpan(0, length - 1), out _, out _));
        });

    [Fact]
    public void TryMatch_OneByteDifferent_IsAnotherLengthOrNone() =>
        Gen.Select(Gen.Long[1, 2_000_000], Gen.Int[0, 77], Gen.Byte[1, 255]).Sample((zeros, index, change) =>
        {
            var frame = ZeroFrame.Of(zeros).Single().ToArray();
            frame[index % frame.Length] ^= change;

            // What it takes for zeros must be zeros for every decoder: the frame of that length, byte for byte.
            if (ZeroFrame.TryMatch(frame, out var found, out var length))
                Assert.Equal(ZeroFrame.Of(found).Single().ToArray(), frame[..length]);
        });

    [Fact]
    public void Of_ZerosForOtherDecoders_AreZeros() =>
        Gen.Int[1, 3 << 20].Sample(
            zeros =>
            {
                using var decompressor = new ZstdSharp.Decompressor();
                var frame = ZeroFrame.Of(zeros).Single();

                Assert.Equal(zeros, BinaryPrimitives.ReadInt64LittleEndian(frame.Span[6..]));
                Assert.Equal(new byte[zeros], decompressor.Unwrap(frame.Span).ToArray());
            },
            iter: 30);

    [Fact]
    public void Encode_HoleOf64GiB_IsTwoMebibytesAndReadAsZerosWithoutDecompressing()
    {
        const long Size = 64L << 30;
        var path = _temp.PathOf("hole.zst");

        Encode(path, [new ContentSegment(default, Size)]);

        Assert.InRange(new FileInfo(path).Length, 1, (Size / (128 * 1024) * 4) + 4096);
        using var file = File.OpenHandle(path);
        var segments = Decode(file, Size).ToList();
        Assert.All(segments, segment => Assert.Equal(0, segment.Data.Length));
        Assert.Equal(Size, segments.Sum(segment => segment.Zeros));
    }

    [Fact]
    public void Decode_AnyFramesOfAnyTool_GiveTheContent() =>
        Gen.Select(Gen.Int[0, 5], Gen.Int[1, 3_000_000], Gen.Int[0, 1_000_000]).Array[1, 4].Sample(
            pieces =>
            {
                var path = _temp.PathOf($"{Guid.NewGuid():N}.zst");
                using var expected = new MemoryStream();
                using (var stream = File.Create(path))
                {
                    foreach (var (kind, length, seed) in pieces)
                        WriteForeign(stream, expected, kind, length, seed);
                }

                using (var file = File.OpenHandle(path))
                    Assert.Equal(expected.ToArray(), ToBytes(Decode(file, expected.Length)));
                File.Delete(path);
            },
            iter: 60);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Encode_MostlyZeroMemory_CostsWhatItsOtherPagesCost(bool compressible)
    {
        const int Pages = 2000;
        var (memory, pages) = (_temp.PathOf("memory"), _temp.PathOf("pages"));
        using (var file = File.Create(memory))
            Content.Sparse(256 << 20, Pages, 1, compressible)(file);
        using (var file = File.Create(pages))
        {
            var random = new Random(1);
            for (var index = 0; index < Pages; index++)
                file.Write(Content.PageOf(random, compressible));
        }

        var cost = Encode(memory + ".zst", ReadSparse(memory));
        var costOfPages = Encode(pages + ".zst", ReadSparse(pages));

        Assert.InRange(cost, costOfPages / 2, (long)(costOfPages * 1.05) + 64 * 1024);
    }

    private static long Encode(string path, IEnumerable<ContentSegment> content)
    {
        using var stream = File.Create(path);
        foreach (var frame in FrameEncoder.Encode(content, 3, null))
            stream.Write(frame.Span);
        return stream.Length;
    }

    private static IEnumerable<ContentSegment> ReadSparse(string path)
    {
        using var file = File.OpenHandle(path);
        foreach (var segment in SparseReader.Read(file, new FileInfo(path).Length, Cancellation))
            yield return segment;
    }

    private static IEnumerable<ContentSegment> Decode(Microsoft.Win32.SafeHandles.SafeFileHandle file, long size) =>
        new FrameDecoder(
            new ArkBody(file, 0, RandomAccess.GetLength(file)), size, problem => new PackageException(PackageErrorCode.Invalid, problem)).Decode(Cancellation);

    private static byte[] ToBytes(IEnumerable<ContentSegment> content)
    {
        using var stream = new MemoryStream();
        foreach (var segment in content)
        {
            stream.Write(segment.Data.Span);
            stream.SetLength(stream.Length + segment.Zeros);
            stream.Position = stream.Length;
        }

        return stream.ToArray();
    }

    private static void WriteForeign(Stream stream, MemoryStream expected, int kind, int length, int seed)
    {
        var content = new byte[length];
        var random = new Random(seed);
        if (kind != 5)
            random.NextBytes(content.AsSpan(0, kind == 1 ? length / 2 : length));
        switch (kind)
        {
            case 0:
            case 1:
                stream.Write(HandMadeArk.Compress(content));
                break;
            case 2:
                // A frame without its length, in several blocks.
                using (var compression = new ZstdSharp.CompressionStream(stream, leaveOpen: true))
                {
                    for (var start = 0; start < length; start += 100_000)
                    {
                        compression.Write(content.AsSpan(start, Math.Min(100_000, length - start)));
                        compression.Flush();
                    }
                }

                break;
            case 3:
                // A skippable frame (RFC 8878, 3.1.2): content for nobody.
                content = [];
                stream.Write([0x53, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 1, 2, 3]);
                break;
            case 4:
                content = [];
                stream.Write(HandMadeArk.Compress([]));
                break;
            default:
                stream.Write(ZeroFrame.Of(length).Single().Span);
                break;
        }

        expected.Write(content);
    }
}
