using Architekt.Fabric.Cli;
using Architekt.Fabric.Cli.Hosting;

using var interrupts = new ProcessInterrupts();
return (int)await FabricCommandLine.RunAsync(args, CliHost.ForProcess(interrupts));
