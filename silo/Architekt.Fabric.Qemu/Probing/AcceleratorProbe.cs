using Microsoft.Extensions.Logging;

namespace Architekt.Fabric.Qemu;

/// <summary>
/// Finds out by booting whether KVM works. That <c>/dev/kvm</c> exists is no proof: there are hosts where only paravirtual kernels run under it and any
/// other never reaches long mode.
/// </summary>
public static class AcceleratorProbe
{
    internal const string KvmDevice = "/dev/kvm";

    /// <summary>Boots a tiny 64-bit image under KVM. Takes some 100 ms where KVM works and at most the timeout where not; keep the result.</summary>
    /// <exception cref="QemuStartException">There is no QEMU at all.</exception>
    public static async Task<AcceleratorProbeResult> ProbeAsync(
        AcceleratorProbeOptions options, TimeProvider timeProvider, ILogger? logger, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        _ = QemuBinary.Find(options.Binary);
        if (!File.Exists(KvmDevice))
            return new(QemuAccelerator.Tcg, $"Software emulation (TCG), because this host has no {KvmDevice}: switch on virtualization in its firmware or hypervisor and load kvm_intel or kvm_amd for speed");
        var failure = await BootAsync(options, "kvm", "host", LongModeImage.Build(), timeProvider, logger, cancellationToken).ConfigureAwait(false);
        return failure is null
            ? new(QemuAccelerator.Kvm, "KVM, because a 64-bit test image booted under it")
            : new(QemuAccelerator.Tcg, $"Software emulation (TCG), because {KvmDevice} exists but a 64-bit test image did not boot under it: {failure}");
    }

    /// <summary>Runs a firmware image; returns null if it reported success, else why not.</summary>
    internal static async Task<string?> BootAsync(
        AcceleratorProbeOptions options, string accelerator, string cpuModel, byte[] image, TimeProvider timeProvider, ILogger? logger,
        CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("fabric-probe-");
        try
        {
            var imagePath = Path.Combine(folder.FullName, "probe.bin");
            await File.WriteAllBytesAsync(imagePath, image, cancellationToken).ConfigureAwait(false);
            MakeReadable(folder.FullName, imagePath);
            await using var qemu = QemuProcess.Start(
                new QemuProcessOptions
                {
                    Binary = options.Binary,
                    Arguments =
                    [
                        "-nodefaults", "-no-user-config", "-display", "none", "-machine", "q35", "-accel", accelerator, "-cpu", cpuModel, "-m", "16M",
                        "-bios", imagePath, "-device", $"isa-debug-exit,iobase=0x{LongModeImage.ExitPort:x},iosize=4", "-no-reboot",
                    ],
                    StandardErrorPath = Path.Combine(folder.FullName, "errors"),
                    UserId = options.UserId,
                    GroupId = options.GroupId,
                    SupplementaryGroups = options.SupplementaryGroups,
                },
                logger);
            using var timeout = new CancellationTokenSource(options.Timeout, timeProvider);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
            try
            {
                var exitCode = await qemu.WaitForExitAsync(either.Token).ConfigureAwait(false);
                if (exitCode == LongModeImage.SuccessExitCode) return null;
                var errors = qemu.ReadStandardErrorTail();
                return exitCode == 0 && errors.Length == 0
                    ? "the virtual processor reset itself (triple fault)"
                    : $"QEMU ended with exit code {exitCode}: {(errors.Length == 0 ? "it wrote no error" : errors)}";
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return $"it did not report from long mode within {options.Timeout.TotalSeconds:0.#} s";
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>QEMU may run as another user, and a temporary folder is its owner's alone.</summary>
    private static void MakeReadable(string folder, string file)
    {
        if (OperatingSystem.IsWindows()) return;
        const UnixFileMode Everyone = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        File.SetUnixFileMode(
            folder, Everyone | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        File.SetUnixFileMode(file, Everyone | UnixFileMode.UserWrite);
    }
}
