using System.Globalization;

namespace Architekt.Fabric.Memory;

/// <summary>
/// The native library (native/arm.c) that QEMU preloads. When QEMU maps the RAM file, it puts the mapping under asynchronous write protection and
/// reports where it is; on failure it prints one line and ends QEMU with <see cref="ExitCodeNotArmed"/>, because a guest whose writes go unseen must not run.
/// It also has QEMU keep its heap resident, because growing it would be a part of each pause (native/heap.c).
/// QEMU must be able to read the library, to write into the report's folder, and must not be set-user-id (the loader ignores preloads then).
/// </summary>
public static class ArmingLibrary
{
    /// <summary>Exit status of a process that mapped the RAM file and could not arm it.</summary>
    public const int ExitCodeNotArmed = 97;

    /// <summary>The environment variable with the number of QEMU's end of a <see cref="LeaseSwitch"/>. Without it a guest runs without a lease.</summary>
    public const string LeaseVariable = "ARCHITEKT_LEASE_FD";

    /// <summary>The library, beside the executable.</summary>
    public static string Path { get; } = System.IO.Path.Combine(AppContext.BaseDirectory, "libarchitekt-arm.so");

    /// <summary>The environment variables that make a QEMU arm its RAM. A launcher in between (setpriv, ip netns exec) hands them on.</summary>
    /// <param name="ramFile">The RAM file; QEMU must map it whole and shared.</param>
    /// <param name="reportFile">Where QEMU reports the mapping; read it with <see cref="ArmedMapping.ReadAsync"/>. Must not exist yet.</param>
    /// <param name="userfaultDevice">
    /// A descriptor that QEMU inherits, see <see cref="UserfaultDevice.OpenInheritable"/>. Null: QEMU opens /dev/userfaultfd itself, or makes the plain system call.
    /// </param>
    /// <param name="lazy">Registers missing pages too, so that the RAM can be filled while the guest runs. Needs the device or privileges.</param>
    /// <exception cref="FileNotFoundException">The library is not beside the executable.</exception>
    /// <exception cref="ArgumentException">The library's path cannot be written in LD_PRELOAD (ld.so(8)): it has a space or a colon.</exception>
    public static IReadOnlyDictionary<string, string> Environment(string ramFile, string reportFile, int? userfaultDevice = null, bool lazy = false) =>
        Environment(Path, ramFile, reportFile, userfaultDevice, lazy);

    internal static Dictionary<string, string> Environment(string library, string ramFile, string reportFile, int? userfaultDevice, bool lazy)
    {
        ArgumentException.ThrowIfNullOrEmpty(ramFile);
        ArgumentException.ThrowIfNullOrEmpty(reportFile);
        if (!File.Exists(library))
            throw new FileNotFoundException($"The arming library {library} is missing: without it no VM can be migrated live. Install the whole publish folder.", library);
        if (library.AsSpan().ContainsAny(' ', ':'))
            throw new ArgumentException($"The arming library {library} cannot be preloaded: LD_PRELOAD splits at spaces and colons. Install to a path without them.", nameof(library));

        var variables = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["LD_PRELOAD"] = library,
            ["ARCHITEKT_RAM_FILE"] = ramFile,
            ["ARCHITEKT_RAM_REPORT"] = reportFile,
        };
        if (userfaultDevice is { } descriptor)
            variables["ARCHITEKT_UFFD_DEVICE_FD"] = descriptor.ToString(CultureInfo.InvariantCulture);
        if (lazy)
            variables["ARCHITEKT_RAM_LAZY"] = "1";
        return variables;
    }
}
