using System.CommandLine;
using Architekt.Fabric.Blueprints;
using Architekt.Fabric.Cli.Parsing;
using Architekt.Fabric.Packages;

namespace Architekt.Fabric.Cli.Commands;

/// <summary>The options of <c>fabric blueprint build</c> besides its source.</summary>
internal sealed class BlueprintBuildOptions
{
    private const string ProgramsVariable = "FABRIC_GUEST_PROGRAMS";
    private const string ProgramsFolder = "guest";
    private const long MemoryUnit = 2 << 20;

    private readonly Option<string?> _name = new("--name") { Description = "The name the blueprint proposes for itself, also the guest's host name; default: FOLDER's.", HelpName = "NAME" };

    private readonly Option<string[]> _kernel = new("--kernel")
    {
        Description = "A Debian package file (repeatable, where modules are in another), a package's name that apt knows, or a bzImage; default: the distribution's kernel for guests.",
        HelpName = "KERNEL",
    };

    private readonly Option<string?> _kernelModules = new("--kernel-modules") { Description = "The lib/modules/VERSION of a bzImage; without it, all it needs must be built in.", HelpName = "FOLDER" };
    private readonly Option<string[]> _modules = new("--module") { Description = "A further kernel module to load; repeatable.", HelpName = "MODULE" };
    private readonly Option<string?> _kernelCommandLine =
        new("--kernel-command-line") { Description = $"In place of '{BlueprintOptions.DefaultKernelCommandLine}'.", HelpName = "ARGS" };

    private readonly Option<IReadOnlyDictionary<string, string>?> _sysctls = Arguments.Assignments("--sysctl", "A kernel setting, such as vm.overcommit_memory=1; repeatable.");
    private readonly Option<IReadOnlyList<string>?> _entryPoint =
        Arguments.CommandWords("--entrypoint", "In place of the image's entry point and its arguments: a program, or a JSON array of a program and its arguments.");

    private readonly Option<IReadOnlyList<string>?> _arguments =
        Arguments.CommandWords("--cmd", "In place of the image's arguments after the entry point: one, or a JSON array.");

    private readonly Option<IReadOnlyDictionary<string, string>?> _environment = Arguments.Assignments("--env", "A variable on top of the image's; repeatable.");
    private readonly Option<string?> _user = new("--user") { Description = "In place of the image's user: name or number, and a group after a colon.", HelpName = "USER" };
    private readonly Option<string?> _workingDirectory = new("--workdir") { Description = "In place of the image's working directory.", HelpName = "FOLDER" };
    private readonly Option<string?> _stopSignal = new("--stop-signal") { Description = "What asks the entry point to end, in place of the image's signal or SIGTERM.", HelpName = "SIGNAL" };
    private readonly Option<TimeSpan?> _stopTimeout = Arguments.Time("--stop-timeout", "How long the entry point may take to end; default: 10s.");
    private readonly Option<string?> _ready =
        new("--ready") { Description = "What must accept a connection before the guest says that it is up: tcp:PORT or tcp:ADDRESS:PORT; default: nothing.", HelpName = "CHECK" };

    private readonly Option<string?> _hostName = new("--hostname") { Description = "The guest's host name; default: the blueprint's name.", HelpName = "NAME" };
    private readonly Option<string?> _beforeSuspend =
        new("--before-suspend") { Description = "A command for the guest's shell before each pause; its failure is a veto.", HelpName = "COMMAND" };

    private readonly Option<string?> _afterResume = new("--after-resume") { Description = "A command for the guest's shell after each pause.", HelpName = "COMMAND" };
    private readonly Option<long?> _vcpus = Arguments.Number("--vcpus", "Virtual CPUs; default: 1.", 1, 64);
    private readonly Option<long?> _memory = Arguments.Size("--memory", "RAM, a multiple of 2 MiB; default: 256M.");
    private readonly Option<long?> _slack = Arguments.Size("--slack", "Free room on the disk besides what the image fills; default: 64M.");
    private readonly Option<string> _machine = new("--machine") { Description = "q35 or microvm; default: q35.", HelpName = "MACHINE", DefaultValueFactory = _ => "q35" };
    private readonly Option<IReadOnlyDictionary<string, string>?> _labels = Arguments.Assignments("--label", "A note for the manifest; repeatable.");
    private readonly Option<DateTimeOffset?> _createdAt = Arguments.Moment("--created-at", "When it was made, such as 2026-01-31T12:00:00Z; default: when the image was, so that the same image gives the same blueprint.");
    private readonly Option<bool> _replace = new("--replace") { Description = "Replace an older blueprint in FOLDER; anything else there is left alone." };
    private readonly Option<string?> _programs = new("--guest-programs")
    {
        Description = $"The folder with architekt-init, architekt-agent and architekt-liveness; default: {ProgramsVariable}, or '{ProgramsFolder}' beside this command.",
        HelpName = "FOLDER",
    };

    public BlueprintBuildOptions()
    {
        _machine.AcceptOnlyFromAmong("q35", "microvm");
        _memory.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<long?>() is { } bytes && (bytes <= 0 || bytes % MemoryUnit != 0))
                result.AddError("--memory must be a multiple of 2 MiB, such as 512M.");
        });
        _ready.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && !BlueprintOptions.IsReadyCheck(result.Tokens[0].Value))
                result.AddError($"'{result.Tokens[0].Value}' is not a value for --ready: write tcp:PORT or tcp:ADDRESS:PORT.");
        });
        _kernelModules.Validators.Add(result =>
        {
            if (result.GetResult(_kernel) is not { Tokens.Count: 1 }) result.AddError("--kernel-modules belongs to the one bzImage named with --kernel.");
        });
    }

    public void AddTo(Command command)
    {
        foreach (var option in new Option[]
        {
            _name, _kernel, _kernelModules, _modules, _kernelCommandLine, _sysctls, _entryPoint, _arguments, _environment, _user, _workingDirectory, _stopSignal,
            _stopTimeout, _ready, _hostName, _beforeSuspend, _afterResume, _vcpus, _memory, _slack, _machine, _labels, _createdAt, _replace, _programs,
        })
            command.Options.Add(option);
    }

    public BlueprintOptions Read(ParseResult parsed, string folder, Func<string, string?> environment)
    {
        var name = parsed.GetValue(_name) ?? Path.GetFileName(folder);
        // A tag is the store's affair.
        if (!FabricNames.IsPackageName(name) || name.Contains(':'))
            throw FabricException.Invalid($"'{name}' is not a name for a blueprint; give one with --name (lower-case letters, digits, '.', '_' and hyphens).");
        return new BlueprintOptions
        {
            Name = name,
            OutputFolder = folder,
            Kernel = ReadKernel(parsed),
            AgentsFolder = parsed.GetValue(_programs) ?? environment(ProgramsVariable) ?? Path.Combine(AppContext.BaseDirectory, ProgramsFolder),
            Replace = parsed.GetValue(_replace),
            EntryPoint = parsed.GetValue(_entryPoint),
            Arguments = parsed.GetValue(_arguments),
            Environment = parsed.GetValue(_environment) ?? new Dictionary<string, string>(),
            User = parsed.GetValue(_user),
            WorkingDirectory = parsed.GetValue(_workingDirectory),
            StopSignal = parsed.GetValue(_stopSignal),
            StopTimeout = parsed.GetValue(_stopTimeout) ?? TimeSpan.FromSeconds(10),
            Ready = parsed.GetValue(_ready),
            HostName = parsed.GetValue(_hostName),
            BeforeSuspend = parsed.GetValue(_beforeSuspend),
            AfterResume = parsed.GetValue(_afterResume),
            Sysctls = parsed.GetValue(_sysctls) ?? new Dictionary<string, string>(),
            Modules = parsed.GetValue(_modules) ?? [],
            Vcpus = (int)(parsed.GetValue(_vcpus) ?? 1),
            MemoryBytes = parsed.GetValue(_memory) ?? 256 << 20,
            MachineType = parsed.GetValue(_machine) is "microvm" ? PackageMachineType.Microvm : PackageMachineType.Q35,
            KernelCommandLine = parsed.GetValue(_kernelCommandLine) ?? BlueprintOptions.DefaultKernelCommandLine,
            DiskSlackBytes = parsed.GetValue(_slack) ?? 64 << 20,
            CreatedAt = parsed.GetValue(_createdAt),
            Labels = parsed.GetValue(_labels) ?? new Dictionary<string, string>(),
        };
    }

    /// <summary>A file is one that is there, or is written like one: apt's names have no slash.</summary>
    private KernelSource ReadKernel(ParseResult parsed)
    {
        var given = parsed.GetValue(_kernel) ?? [];
        var modules = parsed.GetValue(_kernelModules);
        if (given.Length == 0) return KernelSource.FromDistribution();
        if (given.Length > 1 || IsPackage(given[0]))
        {
            return given.All(IsPackage)
                ? KernelSource.FromDebianPackages(given)
                : throw FabricException.Invalid("Several kernels were given with --kernel; only Debian package files (.deb) go together.");
        }

        if (given[0].Contains('/') || File.Exists(given[0])) return KernelSource.FromFile(given[0], modules);
        return modules is null
            ? KernelSource.FromApt(given[0])
            : throw FabricException.Invalid($"There is no file '{given[0]}' that the modules in '{modules}' would belong to; --kernel-modules goes with a bzImage only.");
    }

    private static bool IsPackage(string kernel) => kernel.EndsWith(".deb", StringComparison.Ordinal);
}
