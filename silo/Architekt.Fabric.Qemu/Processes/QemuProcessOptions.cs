namespace Architekt.Fabric.Qemu;

/// <summary>How a QEMU process is started.</summary>
public sealed record QemuProcessOptions
{
    /// <summary>Program, by name (searched in <c>PATH</c>) or path.</summary>
    public string Binary { get; init; } = QemuBinary.DefaultName;

    /// <summary>Arguments, usually from <see cref="QemuCommandLine.Build"/>.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>File that gets QEMU's output and errors; appended to. Created by this process's user, readable by all.</summary>
    public required string StandardErrorPath { get; init; }

    /// <summary>Environment variables set for QEMU on top of this process's own; not for <c>setpriv</c> in front of it.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// Descriptors QEMU gets, under the same numbers. Leave FD_CLOEXEC set on them: it is cleared in the child only. QEMU gets no descriptor that is not named here.
    /// </summary>
    public IReadOnlyList<int> InheritedDescriptors { get; init; } = [];

    /// <summary>User QEMU runs as, by way of setpriv(1), which drops all capabilities; null is this process's user.</summary>
    public int? UserId { get; init; }

    /// <summary>Group QEMU runs as; null is the user's number. Only with <see cref="UserId"/>.</summary>
    public int? GroupId { get; init; }

    /// <summary>Further groups, e.g. those of <c>/dev/kvm</c> and <c>/dev/userfaultfd</c>. Only with <see cref="UserId"/>.</summary>
    public IReadOnlyList<int> SupplementaryGroups { get; init; } = [];
}
