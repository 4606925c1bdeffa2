using Orleans.Concurrency;

namespace Architekt.Fabric;

/// <summary>One VM. The key is its name; the grain is pinned to the silo of the VM's owner.</summary>
[Alias("architekt.vm")]
public interface IVmGrain : IGrainWithStringKey
{
    /// <summary>
    /// Creates the VM and starts it: by resuming if the package has memory, else by booting. Returns when its QEMU runs, which is before a guest that boots is up.
    /// </summary>
    [Alias("run"), ResponseTimeout("00:01:30")]
    Task<VmInfo> RunAsync(VmSpec spec, CancellationToken cancellationToken = default);

    /// <summary>Boots a stopped VM from its own disk.</summary>
    [Alias("start"), ResponseTimeout("00:01:30")]
    Task<VmInfo> StartAsync(CancellationToken cancellationToken = default);

    /// <summary>What the fabric knows of the VM, and what its host says of it now.</summary>
    [Alias("get")]
    [AlwaysInterleave]
    Task<VmInfo> GetAsync(CancellationToken cancellationToken = default);

    /// <summary>Asks the guest to shut down, or ends it at once.</summary>
    /// <param name="force">Ends it without asking the guest.</param>
    /// <param name="cancellationToken">Ends the call, not the shutdown.</param>
    [Alias("stop")]
    Task<VmInfo> StopAsync(bool force, CancellationToken cancellationToken = default);

    /// <summary>Removes a stopped VM and its disk.</summary>
    /// <param name="force">Ends it first if it runs.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    [Alias("delete")]
    Task DeleteAsync(bool force, CancellationToken cancellationToken = default);

    /// <summary>Starts a migration and returns its operation; asking twice with one id gives the same migration.</summary>
    [Alias("migrate")]
    Task<OperationInfo> MigrateAsync(MigrationRequest request, CancellationToken cancellationToken = default);

    /// <summary>Starts making a package of the running VM and returns its operation; asking twice with one id gives the same checkpoint.</summary>
    [Alias("checkpoint")]
    Task<OperationInfo> CheckpointAsync(CheckpointRequest request, CancellationToken cancellationToken = default);

    /// <summary>
    /// Creates the VM only for a package to be made of it: it is started, written down once its guest says that it is up, and removed. Returns the operation, which needs nobody to wait
    /// for it; asking twice with one id gives the same one.
    /// </summary>
    [Alias("make-package"), ResponseTimeout("00:01:30")]
    Task<OperationInfo> MakePackageAsync(PackageMaking request, CancellationToken cancellationToken = default);

    /// <summary>Reads the console log.</summary>
    /// <param name="offset">Where to start, in bytes; negative counts from the end.</param>
    /// <param name="waitMs">How long to wait for the first byte, 0 to 10000 ms.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    [Alias("read-log")]
    [AlwaysInterleave]
    Task<VmLog> ReadLogAsync(long offset, int waitMs, CancellationToken cancellationToken = default);

    /// <summary>Types on the guest's serial console.</summary>
    [Alias("write-console")]
    [AlwaysInterleave]
    Task WriteConsoleAsync(byte[] data, CancellationToken cancellationToken = default);

    /// <summary>The host whose silo this activation runs on; tells a test where the grain really is.</summary>
    [Alias("where")]
    [AlwaysInterleave]
    Task<string> WhereAsync(CancellationToken cancellationToken = default);
}
