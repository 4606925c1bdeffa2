using Architekt.Fabric.Peers;
using Architekt.Fabric.Qemu;
using Architekt.Fabric.Runner.State;

namespace Architekt.Fabric.Runner.Machine;

/// <summary>What this machine can do.</summary>
/// <param name="Qemu">Version of its QEMU.</param>
/// <param name="QemuUserId">User QEMU runs as; null for this process's own.</param>
/// <param name="QemuGroups">Further groups it needs.</param>
internal sealed record HostFacts(Version Qemu, int? QemuUserId, IReadOnlyList<int> QemuGroups)
{
    private const string KvmDevice = "/dev/kvm";
    private const string BootIdFile = "/proc/sys/kernel/random/boot_id";

    public static async Task<HostFacts> FindAsync(RunnerOptions options, RunnerRoot root, CancellationToken cancellationToken)
    {
        try
        {
            var qemu = await QemuBinary.DetectAsync(options.QemuBinary, cancellationToken);

            // A folder others may not pass, such as root's home, would keep QEMU's own user out.
            var user = QemuUser.MayBeChosen && QemuUser.FirstImpassable(root.Path, options.PeerPath) is null ? QemuUser.DefaultId : (int?)null;
            return new HostFacts(qemu.Version, user, user is null ? [] : QemuUser.KvmGroup());
        }
        catch (QemuStartException error)
        {
            throw new RunnerException(RunnerErrorCode.Unsupported, error.Message, error);
        }
    }

    /// <summary>Which accelerator a guest that boots gets. Finding out takes seconds where KVM is there and does not work, so it is done once after each boot of this machine.</summary>
    public async Task<string> ChooseAcceleratorAsync(RunnerOptions options, RunnerRoot root, TimeProvider time, CancellationToken cancellationToken)
    {
        if (options.Accelerator is { } chosen) return chosen;
        if (!File.Exists(KvmDevice)) return "tcg";
        var mark = $"{await ReadBootIdAsync(cancellationToken)} {Qemu} {QemuUserId ?? -1} ";
        if (File.Exists(root.AcceleratorFile) && (await File.ReadAllTextAsync(root.AcceleratorFile, cancellationToken)).Trim() is var known
            && known.StartsWith(mark, StringComparison.Ordinal) && known[mark.Length..] is ("kvm" or "tcg") and var found)
            return found;
        var probe = new AcceleratorProbeOptions { Binary = options.QemuBinary, UserId = QemuUserId, GroupId = QemuUserId, SupplementaryGroups = QemuGroups };
        var accelerator = (await AcceleratorProbe.ProbeAsync(probe, time, logger: null, cancellationToken)).Accelerator.ToString().ToLowerInvariant();
        await File.WriteAllTextAsync(root.AcceleratorFile, mark + accelerator, cancellationToken);
        return accelerator;
    }

    /// <summary>What guests see of a CPU here. Asked once after each boot of this machine, which is when its kernel, its microcode or its processor may be another.</summary>
    public async Task<IReadOnlyList<string>> FindCpuFeaturesAsync(
        RunnerOptions options, RunnerRoot root, string accelerator, TimeProvider time, CancellationToken cancellationToken)
    {
        var file = root.CpuFeaturesFile(accelerator);
        var mark = $"{await ReadBootIdAsync(cancellationToken)} {Qemu} {options.QemuBinary}";
        if (File.Exists(file) && await File.ReadAllLinesAsync(file, cancellationToken) is [var known, .. var features] && known == mark) return features;
        try
        {
            features = [.. await CpuFeatureProbe.ProbeAsync(
                options.QemuBinary, accelerator == "kvm" ? QemuAccelerator.Kvm : QemuAccelerator.Tcg, time, logger: null, cancellationToken)];
        }
        catch (QemuStartException error)
        {
            throw new RunnerException(RunnerErrorCode.Unsupported, error.Message, error);
        }

        await File.WriteAllLinesAsync(file, [mark, .. features], cancellationToken);
        return features;
    }

    private static async Task<string> ReadBootIdAsync(CancellationToken cancellationToken) => (await File.ReadAllTextAsync(BootIdFile, cancellationToken)).Trim();
}
