using System.Diagnostics;

namespace Architekt.Fabric.Blueprints.Tests.Boot;

/// <summary>A QEMU that is spoken to on its standard streams (QMP). Its greeting there comes once it has made all of its sockets.</summary>
internal sealed class StdioQemu : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Task<string?> _greeting;

    internal StdioQemu(IEnumerable<string> arguments)
    {
        _process = Process.Start(new ProcessStartInfo("qemu-system-x86_64", [.. arguments, "-qmp", "stdio"]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        _greeting = _process.StandardOutput.ReadLineAsync();
    }

    internal int ExitCode => _process.ExitCode;

    /// <summary>Waits until its sockets are there.</summary>
    internal async Task WaitUntilReadyAsync(TimeSpan patience, CancellationToken cancellationToken) =>
        Assert.True(await _greeting.WaitAsync(patience, cancellationToken) is not null, "QEMU has ended");

    internal async Task PressPowerButtonAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        await WaitUntilReadyAsync(patience, cancellationToken);
        foreach (var command in new[] { "qmp_capabilities", "system_powerdown" })
        {
            await _process.StandardInput.WriteLineAsync($"{{\"execute\":\"{command}\"}}".AsMemory(), cancellationToken);
            await _process.StandardInput.FlushAsync(cancellationToken);
            await _process.StandardOutput.ReadLineAsync(cancellationToken);
        }
    }

    /// <summary>Waits until it has ended, as it does when its guest powers off.</summary>
    internal Task WaitForExitAsync(TimeSpan patience, CancellationToken cancellationToken) => _process.WaitForExitAsync(cancellationToken).WaitAsync(patience, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync(CancellationToken.None);
        }

        _process.Dispose();
    }
}
