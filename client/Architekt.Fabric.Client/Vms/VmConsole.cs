using System.Runtime.CompilerServices;

namespace Architekt.Fabric.Client;

/// <summary>A VM's serial console. It stays attached when the VM moves.</summary>
public class VmConsole
{
    private readonly FabricClient? _client;

    /// <summary>For mocks.</summary>
    protected VmConsole(string vm) => Vm = vm;

    internal VmConsole(FabricClient client, string vm)
        : this(vm) => _client = client;

    /// <summary>The VM.</summary>
    public string Vm { get; }

    private FabricClient Client => _client
        ?? throw new InvalidOperationException("This VmConsole was made by its constructor for mocks; override the member that is being called.");

    /// <summary>What the guest prints from now on, until the VM has ended.</summary>
    /// <param name="backlogBytes">How much of what it printed before comes first, in bytes.</param>
    /// <param name="cancellationToken">Detaches.</param>
    public virtual async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(
        int backlogBytes = 0,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        long offset = -backlogBytes;
        if (backlogBytes == 0)
        {
            // 0 would be the log's beginning, and there is no minus zero: read one byte back and go on behind it.
            offset = (await Client.ReadLogAsync(Vm, -1, default, cancellationToken).ConfigureAwait(false)).NextOffset;
        }

        await foreach (var piece in Client.FollowLogAsync(Vm, offset, cancellationToken).ConfigureAwait(false))
        {
            yield return piece.Data;
        }
    }

    /// <summary>Types on the console.</summary>
    public virtual Task WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken = default) =>
        Client.WriteConsoleAsync(Vm, data, cancellationToken);
}
