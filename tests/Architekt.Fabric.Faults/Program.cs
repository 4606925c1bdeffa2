using System.Runtime.InteropServices;
using Architekt.Fabric.Faults;
using Architekt.Fabric.Faults.Running;

// Started by compose/faults.sh, which prepares the hosts and cleans up after them.
if (!FaultOptions.TryParse(args, out var options))
{
    Console.Error.WriteLine($"Usage: Architekt.Fabric.Faults {FaultOptions.Usage}");
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
    await using var fabric = new FaultFabric(options);
    await fabric.StartAsync(stop.Token);
    var run = new MatrixRun(fabric, options.Cells);
    var results = await run.RunAsync(stop.Token);
    var left = await run.FindAtTheEndAsync(stop.Token);
    Console.WriteLine();
    MatrixReport.Print(results);
    Console.WriteLine();
    if (left is not null) Console.WriteLine($"FAILED  in the end: {left}");
    var failed = results.Count(static result => result.Failure is not null) + (left is null ? 0 : 1);
    Console.WriteLine($"{results.Count(static result => result.Failure is null)} passed, {failed} failed");
    return failed == 0 ? 0 : 1;
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    return 143;
}
