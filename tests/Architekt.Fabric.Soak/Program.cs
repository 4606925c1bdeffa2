using System.Runtime.InteropServices;
using Architekt.Fabric.Soak;

// Started by compose/soak.sh, which prepares the hosts and cleans up after them.
if (!SoakOptions.TryParse(args, out var options))
{
    Console.Error.WriteLine($"Usage: Architekt.Fabric.Soak {SoakOptions.Usage}");
    return 2;
}

using var stop = new CancellationTokenSource();
using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
{
    context.Cancel = true;
    stop.Cancel();
});

try
{
    await using var run = new SoakRun(options);
    await run.RunAsync(stop.Token);
    Console.WriteLine(run.Counts.Describe());
    Console.WriteLine(run.Counts);
    return run.Counts.IsClean ? 0 : 1;
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    return 143;
}
