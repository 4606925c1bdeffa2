using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Architekt.Agent.Calls;
using Architekt.AgentProtocol;
using Architekt.GuestPorts;

namespace Architekt.Agent;

/// <summary>Answers one host after the other on a port. Blocked in a system call, and so without any CPU use, whenever there is nothing to do.</summary>
/// <param name="open">Opens the port.</param>
/// <param name="dispatcher">Answers the calls.</param>
internal sealed class AgentServer(Func<GuestPort> open, CallDispatcher dispatcher) : IDisposable
{
    private static readonly TimeSpan _firstDelay = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan _longestDelay = TimeSpan.FromSeconds(2);

    private readonly LineBuffer _lines = new();
    private readonly byte[] _input = new byte[4096];
    private GuestPort? _port;

    /// <summary>Serves until the process is ended.</summary>
    /// <exception cref="GuestPortException">The port cannot be opened the first time.</exception>
    internal void Run()
    {
        _port = open();
        var delay = _firstDelay;
        while (true)
        {
            // The greeting is also how a virtio-serial port is waited for: see GuestPort.
            if (Greet() && ServeHost())
            {
                delay = _firstDelay;
                continue;
            }

            // A port that ends at once, again and again, must not become a busy loop: the greeting only waits on virtio-serial.
            Thread.Sleep(delay);
            delay = delay * 2 < _longestDelay ? delay * 2 : _longestDelay;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _port?.Dispose();

    private bool Greet()
    {
        try
        {
            _port ??= open();
        }
        catch (GuestPortException)
        {
            // It was there before and may come back: a terminal or a socket whose other side restarts.
            return false;
        }

        if (Write(new AgentGreeting(true, AgentLimits.ProtocolVersion), AgentJsonContext.Default.AgentGreeting))
            return true;
        _port.Dispose();
        _port = null;
        return false;
    }

    /// <returns>Whether the host said anything before it left.</returns>
    private bool ServeHost()
    {
        _lines.Reset();
        var heard = false;
        while (true)
        {
            var count = _port!.Read(_input);
            if (count == 0)
                return heard;
            heard = true;
            ReadOnlySpan<byte> rest = _input.AsSpan(0, count);
            while (rest.Length > 0)
            {
                var result = _lines.Take(ref rest, out var line);
                if (result == LineResult.Incomplete || (result == LineResult.Line && line.Trim(" \t\r"u8).IsEmpty))
                    continue;
                var reply = result == LineResult.TooLong ? CallDispatcher.LineTooLong() : dispatcher.Answer(line);
                // A reply nobody takes is dropped: its host is gone, and reading will say so.
                Write(reply, AgentJsonContext.Default.AgentReply);
            }
        }
    }

    private bool Write<T>(T message, JsonTypeInfo<T> type) =>
        _port!.Write([.. JsonSerializer.SerializeToUtf8Bytes(message, type), (byte)'\n']);
}
