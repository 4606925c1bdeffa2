using System.Text;
using Architekt.Fabric.Cli.Hosting;
using Architekt.Fabric.Client;
using Microsoft.Extensions.Time.Testing;

namespace Architekt.Fabric.Cli.Tests.Fakes;

/// <summary>The command with everything around it replaced.</summary>
internal sealed class TestCli : IDisposable
{
    private readonly StringWriter _out = new() { NewLine = "\n" };
    private readonly StringWriter _error = new() { NewLine = "\n" };
    private readonly MemoryStream _bytes = new();

    public TestCli() => Interrupts = new Interrupts(() => Exits++);

    public FakeFabric Fabric { get; } = new();

    public Dictionary<string, string> Environment { get; } = [];

    public Interrupts Interrupts { get; }

    /// <summary>How often the process would have ended at once.</summary>
    public int Exits { get; private set; }

    public bool IsTerminal { get; set; }

    public Stream Input { get; set; } = new MemoryStream();

    public bool HasInputTerminal { get; set; }

    public FabricClientOptions? Options { get; private set; }

    public TimeSpan Uptime { get; set; } = TimeSpan.FromMilliseconds(300);

    public FabricException? ConnectFault { get; set; }

    public string Out => _out.ToString();

    public string Error => _error.ToString();

    public string Bytes => Encoding.UTF8.GetString(_bytes.ToArray());

    public Task<ExitCode> RunAsync(params string[] args) => FabricCommandLine.RunAsync(args, new CliHost
    {
        Out = _out,
        Error = _error,
        OutStream = _bytes,
        InStream = Input,
        IsInTerminal = HasInputTerminal,
        IsOutTerminal = IsTerminal,
        IsErrorTerminal = IsTerminal,
        Width = () => 160,
        Environment = Environment.GetValueOrDefault,
        Interrupts = Interrupts,
        EnterRawMode = () => HasInputTerminal ? new StringReader("") : null,
        Uptime = () => Uptime,
        Time = new FakeTimeProvider(Samples.Start),
        Connect = (options, _) =>
        {
            Options = options;
            return ConnectFault is { } fault ? Task.FromException<FabricClient>(fault) : Task.FromResult<FabricClient>(Fabric);
        },
    });

    public void Dispose()
    {
        Interrupts.Dispose();
        _out.Dispose();
        _error.Dispose();
        _bytes.Dispose();
    }
}
