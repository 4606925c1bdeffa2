using Architekt.Fabric.Memory;
using Architekt.Fabric.Peers;
using Architekt.Fabric.Qemu;
using Architekt.Fabric.Silo.Runtime;

namespace Architekt.Fabric.Silo;

/// <summary>Finds out what this host can do, once, before its silo starts.</summary>
internal static partial class HostProbe
{
    /// <summary>What a host keeps for itself by default.</summary>
    private const double GuestShare = 0.8;

    private const int VcpusPerProcessor = 4;

    public static async Task<HostFacts> RunAsync(FabricOptions options, ILogger logger, CancellationToken cancellationToken)
    {
        try
        {
            return await FindAsync(options, logger, cancellationToken);
        }
        catch (QemuStartException error)
        {
            throw new FabricException(FabricErrorCode.Unsupported, error.Message, innerException: error);
        }
    }

    private static async Task<HostFacts> FindAsync(FabricOptions options, ILogger logger, CancellationToken cancellationToken)
    {
        var qemu = await QemuBinary.DetectAsync(options.QemuBinary, cancellationToken);
        var user = ChooseQemuUser(options, logger);
        var groups = user is null ? [] : QemuUser.KvmGroup();
        var (accelerator, reason) = options.Accelerator is { } forced
            ? (forced, "as configured")
            : await ProbeAcceleratorAsync(options.QemuBinary, user, groups, cancellationToken);
        var tracking = ((IDirtyTrackingProbe)DirtyTracking.Kernel).Probe();
        var facts = new HostFacts(
            accelerator,
            reason,
            qemu.Version,
            user,
            groups,
            Environment.OSVersion.Version.ToString(),
            tracking.Reason,
            options.MemoryBytes ?? (long)(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes * GuestShare) / (2 << 20) * (2 << 20),
            options.Vcpus ?? Environment.ProcessorCount * VcpusPerProcessor)
        {
            CpuFeatures = await CpuFeatureProbe.ProbeAsync(
                options.QemuBinary, accelerator == "kvm" ? QemuAccelerator.Kvm : QemuAccelerator.Tcg, TimeProvider.System, logger: null, cancellationToken),
        };
        LogFacts(logger, options.HostName, facts.Accelerator, reason, facts.QemuVersion, tracking.Reason ?? "yes");
        return facts;
    }

    private static async Task<(string Accelerator, string Reason)> ProbeAcceleratorAsync(
        string binary, int? user, IReadOnlyList<int> groups, CancellationToken cancellationToken)
    {
        var options = new AcceleratorProbeOptions { Binary = binary, UserId = user, GroupId = user, SupplementaryGroups = groups };
        var probed = await AcceleratorProbe.ProbeAsync(options, TimeProvider.System, logger: null, cancellationToken);
        return (probed.Accelerator.ToString().ToLowerInvariant(), probed.Reason);
    }

    /// <summary>QEMU gets a user of its own where it can reach what it needs; a fabric run out of a home folder keeps the silo's user.</summary>
    private static int? ChooseQemuUser(FabricOptions options, ILogger logger)
    {
        if (!QemuUser.MayBeChosen || options.QemuUserId == 0) return null;
        if (options.QemuUserId is { } chosen) return chosen;
        var blocked = QemuUser.FirstImpassable(AppContext.BaseDirectory, options.StateFolder, options.PeerPath);
        if (blocked is null) return FabricOptions.DefaultQemuUserId;
        LogImpassable(logger, blocked);
        return null;
    }

    [LoggerMessage(2101, LogLevel.Information, "Host {Host}: guests run under {Accelerator} ({Reason}), QEMU {Qemu}, live migration: {Tracking}")]
    private static partial void LogFacts(ILogger logger, string host, string accelerator, string reason, Version qemu, string tracking);

    [LoggerMessage(2102, LogLevel.Warning, "QEMU runs as root, because another user could not pass through '{Folder}': install the silo and its state where others may pass, such as /opt and /var/lib, or set Fabric:QemuUserId")]
    private static partial void LogImpassable(ILogger logger, string folder);
}
