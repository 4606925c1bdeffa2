using Microsoft.Extensions.Logging;

namespace Architekt.Fabric.Qemu;

/// <summary>Asks QEMU what its guests see of a CPU on this host. Under KVM that depends on the host's processor, its microcode and its kernel, under emulation on QEMU alone.</summary>
public static class CpuFeatureProbe
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    /// <summary>Starts a QEMU without a machine and asks it. Takes some 100 ms; keep the result.</summary>
    /// <param name="binary">QEMU program, by name or path.</param>
    /// <param name="accelerator">How the guests run.</param>
    /// <param name="timeProvider">The clock.</param>
    /// <param name="logger">Told of the QEMU that is started.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The features of <c>host</c> under KVM and of <c>max</c> under TCG by QEMU's names, in ordinal order.</returns>
    /// <exception cref="QemuStartException">QEMU does not start with this accelerator, or does not answer.</exception>
    public static async Task<IReadOnlyList<string>> ProbeAsync(
        string binary, QemuAccelerator accelerator, TimeProvider timeProvider, ILogger? logger, CancellationToken cancellationToken)
    {
        var kvm = accelerator == QemuAccelerator.Kvm;
        var folder = Directory.CreateTempSubdirectory("fabric-probe-");
        try
        {
            var socket = Path.Combine(folder.FullName, "qmp");
            await using var qemu = QemuProcess.Start(
                new QemuProcessOptions
                {
                    Binary = binary,
                    Arguments =
                    [
                        "-nodefaults", "-no-user-config", "-display", "none", "-machine", "none", "-accel", kvm ? "kvm" : "tcg", "-qmp", $"unix:{socket},server=on,wait=off",
                    ],
                    StandardErrorPath = Path.Combine(folder.FullName, "errors"),
                },
                logger);
            using var timeout = new CancellationTokenSource(Timeout, timeProvider);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
            try
            {
                await using var qmp = await qemu.ConnectQmpAsync(socket, timeProvider, either.Token).ConfigureAwait(false);
                return (await qmp.QueryCpuModelAsync(kvm ? "host" : "max", either.Token).ConfigureAwait(false)).EnabledFeatures();
            }
            catch (Exception error) when (error is QmpException or QmpConnectionException)
            {
                throw new QemuStartException($"'{binary}' does not say which CPU its guests have: {error.Message}");
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new QemuStartException($"'{binary}' did not say within {Timeout.TotalSeconds:0} s which CPU its guests have");
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
