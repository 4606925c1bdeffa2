using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Architekt.Fabric.Peer;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Faults.Hosts;

/// <summary>One of the hosts compose/lib.sh brought up: a network namespace, a folder and a silo, which is started again as it was.</summary>
internal sealed class FaultHost
{
    private readonly string _folder;
    private readonly string _log;
    private readonly Revival _revival;

    private FaultHost(string name, string folder, string log, string network, ProcessIdentity silo)
    {
        (Name, _folder, _log, Namespace, Silo) = (name, folder, log, network, silo);
        _revival = Revival.Of(silo.Pid);
    }

    public string Name { get; }

    public string Namespace { get; }

    public ProcessIdentity Silo { get; private set; }

    public string RuntimeFolder => Path.Combine(_folder, "run");

    public string DiskFolder => Path.Combine(_folder, "state", "disks");

    public string ConsoleFolder => Path.Combine(_folder, "state", "logs");

    private string SiloFile => Path.Combine(_folder, "silo");

    public static FaultHost Find(FaultOptions options, string name)
    {
        var folder = Path.Combine(options.RunFolder, name);
        var words = File.ReadAllText(Path.Combine(folder, "silo")).Split(' ');
        var silo = new ProcessIdentity(int.Parse(words[0], CultureInfo.InvariantCulture), long.Parse(words[1], CultureInfo.InvariantCulture));
        return new FaultHost(name, folder, Path.Combine(options.LogFolder, name + ".log"), options.NamespacePrefix + name, silo);
    }

    /// <summary>Starts the silo unless it runs, as a service manager would.</summary>
    public async Task ReviveAsync(CancellationToken cancellationToken)
    {
        if (Silo.IsAlive()) return;
        Silo = await _revival.StartAsync(Namespace, [], _log, cancellationToken);
        await File.WriteAllTextAsync(SiloFile, string.Create(CultureInfo.InvariantCulture, $"{Silo.Pid} {Silo.StartTicks}\n"), cancellationToken);
    }

    /// <summary>The instance folders.</summary>
    public IReadOnlyList<string> Instances() =>
        [.. Directory.EnumerateFileSystemEntries(RuntimeFolder).Select(path => Path.GetFileName(path)).Where(static name => !name.EndsWith(".kept", StringComparison.Ordinal))];

    /// <summary>The processes of an instance; null if it has none to show.</summary>
    public PeerIdentity? FindProcesses(string vm, long epoch) => Read(Path.Combine($"{vm}.{epoch}", PeerApi.IdentityFile), PeerJson.Default.PeerIdentity);

    private T? Read<T>(string file, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(Path.Combine(RuntimeFolder, file)), type);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
