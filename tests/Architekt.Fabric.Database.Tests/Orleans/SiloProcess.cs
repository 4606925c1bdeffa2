using System.Diagnostics;

namespace Architekt.Fabric.Database.Tests;

/// <summary>A silo in a process of its own: the only kind that can be killed without taking the test along.</summary>
internal sealed class SiloProcess : IDisposable
{
    private const string Ready = "ready";

    private readonly Process _process;

    private SiloProcess(Process process) => _process = process;

    public void Dispose()
    {
        Kill();
        _process.Dispose();
    }

    internal static async Task<SiloProcess> StartAsync(string name, string cluster, string connectionString, CancellationToken cancellationToken)
    {
        var program = Path.ChangeExtension(typeof(SiloProcess).Assembly.Location, null);
        var silo = new SiloProcess(Process.Start(
            new ProcessStartInfo(program, ["silo", name, cluster, connectionString]) { RedirectStandardInput = true, RedirectStandardOutput = true })!);
        try
        {
            Assert.Equal(Ready, await silo._process.StandardOutput.ReadLineAsync(cancellationToken));
            return silo;
        }
        catch
        {
            silo.Dispose();
            throw;
        }
    }

    internal void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    /// <summary>What the process does: a silo until it is killed, or until nobody holds its input any more.</summary>
    internal static async Task<int> RunAsync(string name, string cluster, string connectionString)
    {
        await using var silo = await TestSilo.StartAsync(name, cluster, connectionString, CancellationToken.None);
        Console.WriteLine(Ready);
        await Console.In.ReadToEndAsync();
        return 0;
    }
}
