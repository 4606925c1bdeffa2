namespace Architekt.InitConfiguration;

/// <summary>Where things are in the initramfs.</summary>
public static class InitramfsLayout
{
    /// <summary>What the kernel starts (Documentation/filesystems/ramfs-rootfs-initramfs.rst): a link to <see cref="Init"/>.</summary>
    public const string FirstProgram = "/init";

    /// <summary>The folder with everything of ours; in the running guest it is <see cref="GuestPrograms"/>.</summary>
    public const string Programs = "/architekt";

    /// <summary>The first process.</summary>
    public const string Init = "/architekt/" + InitName;

    /// <summary>The configuration.</summary>
    public const string Configuration = "/architekt/guest.json";

    /// <summary>The kernel modules, not compressed.</summary>
    public const string Modules = "/modules";

    /// <summary>Where the root file system is mounted before it becomes the root.</summary>
    public const string NewRoot = "/root";

    /// <summary>Where <see cref="Programs"/> is when the guest runs, so that the image needs to hold none of it.</summary>
    public const string GuestPrograms = "/run/architekt";

    /// <summary>The first process's file name.</summary>
    public const string InitName = "architekt-init";

    /// <summary>The agent's file name.</summary>
    public const string AgentName = "architekt-agent";

    /// <summary>The file name of the program that says that the guest is up.</summary>
    public const string LivenessName = "architekt-liveness";
}
