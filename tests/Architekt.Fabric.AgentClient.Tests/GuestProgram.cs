using System.Diagnostics;

namespace Architekt.Fabric.Agents.Tests;

/// <summary>One of the guest's executables, as it was built beside the tests.</summary>
internal sealed class GuestProgram : IDisposable
{
    private readonly Process _process;

    internal GuestProgram(string name, params string[] arguments) => _process = Process.Start(Path.Combine(AppContext.BaseDirectory, name), arguments);

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }
}
