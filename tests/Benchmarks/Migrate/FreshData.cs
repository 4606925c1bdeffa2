using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Architekt.Fabric.Benchmarks.Migrate;

/// <summary>Fills a Redis with data that nobody else has and that cannot be compressed.</summary>
internal static class FreshData
{
    private const int ValueBytes = 10_000;
    private const int Seed = 20;

    /// <summary>Returns once all of it is acknowledged.</summary>
    public static async Task WriteAsync(IPEndPoint redis, long bytes, CancellationToken cancellationToken)
    {
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(redis, cancellationToken);
        var stream = client.GetStream();
        var random = new Random(Seed);
        var value = new byte[ValueBytes];
        var answer = new byte["+OK\r\n".Length];
        for (var number = 0; number * (long)ValueBytes < bytes; number++)
        {
            random.NextBytes(value);
            var key = $"fresh:{number}";
            var command = new ArrayBufferWriter<byte>();
            command.Write(Encoding.ASCII.GetBytes($"*3\r\n$3\r\nSET\r\n${key.Length}\r\n{key}\r\n${ValueBytes}\r\n"));
            command.Write(value);
            command.Write("\r\n"u8);
            await stream.WriteAsync(command.WrittenMemory, cancellationToken);
            await stream.ReadExactlyAsync(answer, cancellationToken);
            if (!answer.AsSpan().SequenceEqual("+OK\r\n"u8)) throw new InvalidOperationException($"Redis at {redis} refused a write: {Encoding.ASCII.GetString(answer)}");
        }
    }
}
