using System.Runtime.InteropServices;

namespace Architekt.Fabric.Cli.Hosting;

/// <summary>The process's SIGINT, SIGTERM and SIGHUP.</summary>
internal sealed class ProcessInterrupts : Interrupts
{
    private readonly PosixSignalRegistration[] _registrations;

    public ProcessInterrupts()
        : base(() => Environment.Exit((int)ExitCode.Cancelled))
    {
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle),
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, Handle),
        ];
    }

    public override void Dispose()
    {
        foreach (var registration in _registrations) registration.Dispose();
        base.Dispose();
    }

    private void Handle(PosixSignalContext context)
    {
        context.Cancel = true;
        Signal();
    }
}
