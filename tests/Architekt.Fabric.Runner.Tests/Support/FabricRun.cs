using System.Diagnostics;
using System.Text;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Runner.Tests.Support;

/// <summary><c>fabric run</c> as a process.</summary>
internal sealed class FabricRun : IAsyncDisposable
{
    private static readonly string _fabric = Path.Combine(AppContext.BaseDirectory, "fabric");
    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _error = new();

    public FabricRun(IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(_fabric, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Append(_output, line.Data);
        _process.ErrorDataReceived += (_, line) => Append(_error, line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public int Pid => _process.Id;

    public string Output => Text(_output);

    public string Error => Text(_error);

    public TextWriter Input => _process.StandardInput;

    public void Interrupt() => ProcessIdentity.Of(Pid).Kill(ProcessSignal.Interrupt);

    public async Task KillAsync()
    {
        ProcessIdentity.TryOf(Pid)?.Kill(ProcessSignal.Kill);
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    public Task UntilItSaysAsync(string text) => Deadline.UntilAsync(
        () => Error.Contains(text, StringComparison.Ordinal) || _process.HasExited, () => $"fabric run says '{text}', and it said '{Error}'");

    public async Task<int> WaitForExitAsync()
    {
        await Deadline.UntilAsync(() => _process.HasExited, () => $"fabric run ends, and it said '{Error}'");
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return _process.ExitCode;
    }

    /// <summary>Ctrl-C, and all is well.</summary>
    public async Task SuspendAsync()
    {
        Interrupt();
        Assert.Equal((0, ""), (await WaitForExitAsync(), Output));
        Assert.Contains("is suspended", Error, StringComparison.Ordinal);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
    }

    private static void Append(StringBuilder text, string? line)
    {
        lock (text) text.AppendLine(line);
    }

    private static string Text(StringBuilder text)
    {
        lock (text) return text.ToString().TrimEnd();
    }
}
