namespace Architekt.Fabric.Cli.Hosting;

/// <summary>Ctrl-C: the first asks the command to end, the second ends the process.</summary>
internal class Interrupts : IDisposable
{
    private readonly CancellationTokenSource _first = new();
    private readonly Action _exit;

    public Interrupts(Action exit) => _exit = exit;

    /// <summary>Cancelled by the first Ctrl-C.</summary>
    public CancellationToken Token => _first.Token;

    /// <summary>Takes note of a Ctrl-C.</summary>
    public void Signal()
    {
        if (_first.IsCancellationRequested)
        {
            _exit();
            return;
        }

        _first.Cancel();
    }

    public virtual void Dispose()
    {
        _first.Dispose();
        GC.SuppressFinalize(this);
    }
}
