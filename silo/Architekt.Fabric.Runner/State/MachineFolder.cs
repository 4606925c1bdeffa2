using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Runner.State;

/// <summary>
/// The folder of one machine, held by whoever runs it. <c>current</c> names the state it goes on from: that file is replaced last and at once, so that a state is there whole or not at
/// all, also after a power cut.
/// </summary>
internal sealed class MachineFolder : IDisposable
{
    private const string CurrentFile = "current";
    private const string RecordFile = "machine.json";
    private const string RunFile = "run.json";
    private const string StatePrefix = "state-";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private readonly FileStream _lock;

    private MachineFolder(string path, FileStream taken) => (Path, _lock) = (path, taken);

    public string Path { get; }

    /// <summary>The machine's own qcow2 while it runs.</summary>
    public string Overlay => System.IO.Path.Combine(Path, "disk.qcow2");

    public string ConsoleLog => System.IO.Path.Combine(Path, "console.log");

    public MachineState? State => ReadState(Path);

    /// <summary>Takes a machine; nobody else can have it until it is given back or this process has ended.</summary>
    public static MachineFolder Take(RunnerRoot root, string name)
    {
        var path = System.IO.Path.Combine(root.Machines, name);
        FileStream taken;
        try
        {
            // Beside the folder: a folder that is being removed must not take its lock along. .NET's FileShare.None is flock(2), which ends with its process.
            taken = new FileStream(path + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException error) when (error.GetType() == typeof(IOException))
        {
            var by = ReadRun(path) is { } run && ProcessIdentity.TryParse(run.Runner, out var runner) ? $" by process {runner.Pid}" : "";
            throw new RunnerException(
                RunnerErrorCode.Conflict, $"The machine '{name}' is being run already{by}: end that one, or give this one another name with --name.", error);
        }

        Directory.CreateDirectory(path, RunnerRoot.Passable);
        return new MachineFolder(path, taken);
    }

    public static MachineState? ReadState(string machine)
    {
        try
        {
            var name = File.ReadAllText(System.IO.Path.Combine(machine, CurrentFile)).Trim();
            var folder = System.IO.Path.Combine(machine, name);
            return Read(System.IO.Path.Combine(folder, RecordFile), RunnerJson.Default.MachineRecord) is { } record ? new MachineState(folder, record) : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    public Task WriteRunAsync(RunRecord run) => WriteAsync(System.IO.Path.Combine(Path, RunFile), run, RunnerJson.Default.RunRecord);

    public RunRecord? ReadRun() => ReadRun(Path);

    /// <summary>An empty folder for a state to be.</summary>
    public string BeginState()
    {
        var folder = System.IO.Path.Combine(Path, $"{StatePrefix}{Guid.NewGuid():N}");
        Directory.CreateDirectory(folder, RunnerRoot.Passable);
        return folder;
    }

    /// <summary>Makes a state the one the machine goes on from. The former one may be in use still: <see cref="Clean"/> removes it.</summary>
    public async Task CommitAsync(string folder, MachineRecord record)
    {
        // Writing a file writes out its folder, too, and so the names of what is in there already.
        await WriteAsync(System.IO.Path.Combine(folder, RecordFile), record, RunnerJson.Default.MachineRecord);
        await AtomicFile.WriteAsync(System.IO.Path.Combine(Path, CurrentFile), System.Text.Encoding.UTF8.GetBytes(System.IO.Path.GetFileName(folder)), OwnerOnly);
    }

    public void Forget() => File.Delete(System.IO.Path.Combine(Path, CurrentFile));

    /// <summary>Removes all that is not the state the machine goes on from. Nothing of it may run.</summary>
    public void Clean()
    {
        File.Delete(Overlay);
        var current = State?.Folder;
        foreach (var folder in Directory.EnumerateDirectories(Path, StatePrefix + "*").Where(folder => folder != current)) Directory.Delete(folder, recursive: true);
        File.Delete(System.IO.Path.Combine(Path, RunFile));
    }

    /// <summary>Removes the machine.</summary>
    public void Delete() => Directory.Delete(Path, recursive: true);

    public void Dispose() => _lock.Dispose();

    private static RunRecord? ReadRun(string machine) => Read(System.IO.Path.Combine(machine, RunFile), RunnerJson.Default.RunRecord);

    private static Task WriteAsync<T>(string path, T value, JsonTypeInfo<T> type) =>
        AtomicFile.WriteAsync(path, JsonSerializer.SerializeToUtf8Bytes(value, type), OwnerOnly);

    private static T? Read<T>(string path, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), type);
        }
        catch (Exception error) when (error is IOException or JsonException)
        {
            return null;
        }
    }
}
