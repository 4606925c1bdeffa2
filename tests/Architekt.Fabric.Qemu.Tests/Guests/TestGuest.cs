namespace Architekt.Fabric.Qemu.Tests.Guests;

/// <summary>A real QEMU under TCG in a folder of its own, gone after the test.</summary>
internal sealed class TestGuest : IAsyncDisposable
{
    public const long MemoryBytes = 64L << 20;

    private TestGuest(TestFolder folder, QemuMachine machine, QemuProcess process, QmpClient qmp) =>
        (Folder, Machine, Process, Qmp) = (folder, machine, process, qmp);

    public TestFolder Folder { get; }

    public QemuMachine Machine { get; }

    public QemuProcess Process { get; }

    public QmpClient Qmp { get; }

    public static void RequireQemu() =>
        Assert.SkipUnless(QemuBinary.FindInPath(QemuBinary.DefaultName) is not null, "qemu-system-x86_64 is not installed");

    public static async Task<TestGuest> StartAsync(
        Func<QemuMachine, TestFolder, QemuMachine>? change = null, Func<QemuProcessOptions, QemuProcessOptions>? changeProcess = null)
    {
        RequireQemu();
        var folder = new TestFolder();
        QemuProcess? process = null;
        try
        {
            var machine = new QemuMachine
            {
                Name = "test",
                MemoryBytes = MemoryBytes,
                MemoryPath = folder["ram"],
                QmpSocketPath = folder["qmp"],
            };
            machine = change?.Invoke(machine, folder) ?? machine;
            await using (var ram = File.Create(machine.MemoryPath)) ram.SetLength(machine.MemoryBytes);
            var options = new QemuProcessOptions { Arguments = QemuCommandLine.Build(machine), StandardErrorPath = folder["errors"] };
            process = QemuProcess.Start(changeProcess?.Invoke(options) ?? options);
            var qmp = await process.ConnectQmpAsync(machine.QmpSocketPath, TimeProvider.System, Deadline.After(60));
            return new TestGuest(folder, machine, process, qmp);
        }
        catch
        {
            if (process is not null) await process.DisposeAsync();
            folder.Dispose();
            throw;
        }
    }

    public Task WaitForStateAsync(RunState state) =>
        Deadline.UntilAsync(async () => (await Qmp.QueryStatusAsync(Deadline.After(60))).Status == state, 60);

    public async ValueTask DisposeAsync()
    {
        await Qmp.DisposeAsync();
        await Process.DisposeAsync();
        Folder.Dispose();
    }
}
