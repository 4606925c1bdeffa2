using System.Diagnostics;
using System.Text;
using Architekt.Fabric.Cli.Interop;
using Architekt.Fabric.Client;

namespace Architekt.Fabric.Cli.Hosting;

/// <summary>Everything a command touches outside itself, so that a test can put its own in place.</summary>
internal sealed record CliHost
{
    public required TextWriter Out { get; init; }

    public required TextWriter Error { get; init; }

    /// <summary>Standard output for bytes that are not ours to decode: a guest's console.</summary>
    public required Stream OutStream { get; init; }

    public required Stream InStream { get; init; }

    public bool IsInTerminal { get; init; }

    public required bool IsOutTerminal { get; init; }

    public required bool IsErrorTerminal { get; init; }

    /// <summary>Width of the terminal, in columns.</summary>
    public required Func<int> Width { get; init; }

    public required Func<string, string?> Environment { get; init; }

    public required Func<FabricClientOptions, CancellationToken, Task<FabricClient>> Connect { get; init; }

    public required Interrupts Interrupts { get; init; }

    /// <summary>Puts the terminal into raw mode until disposed; null when standard input is no terminal.</summary>
    public required Func<IDisposable?> EnterRawMode { get; init; }

    /// <summary>How long the process has been running.</summary>
    public required Func<TimeSpan> Uptime { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>The real one.</summary>
    public static CliHost ForProcess(Interrupts interrupts)
    {
        var output = new StandardStream(1, canWrite: true);
        var isDumb = System.Environment.GetEnvironmentVariable("TERM") is "dumb";
        return new CliHost
        {
            Out = Writer(output),
            Error = Writer(new StandardStream(2, canWrite: true)),
            OutStream = output,
            InStream = new StandardStream(0, canWrite: false),
            IsInTerminal = !Console.IsInputRedirected,
            IsOutTerminal = !Console.IsOutputRedirected && !isDumb,
            IsErrorTerminal = !Console.IsErrorRedirected && !isDumb,
            Width = () => Console.WindowWidth is > 0 and var width ? width : 80,
            Environment = System.Environment.GetEnvironmentVariable,
            Connect = FabricClient.ConnectAsync,
            Interrupts = interrupts,
            EnterRawMode = RawTerminal.Enter,
            Uptime = () => DateTime.UtcNow - Process.GetCurrentProcess().StartTime.ToUniversalTime(),
        };

        static StreamWriter Writer(Stream stream) => new(stream, new UTF8Encoding(false)) { AutoFlush = true, NewLine = "\n" };
    }
}
