using Architekt.Fabric.Runner.State;

namespace Architekt.Fabric.Runner.Tests.State;

public sealed class MachineFolderTests : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("architekt-runner-").FullName;

    private static MachineRecord Record(string package) => new()
    {
        Package = package,
        HasMemory = true,
        MachineType = "q35",
        Accelerator = "tcg",
        CpuModel = "max",
        QemuVersion = "7.2.22",
        Vcpus = 1,
        MemoryBytes = 64 << 20,
        KernelCommandLine = "",
        HasAgent = false,
        SavedAt = DateTimeOffset.UnixEpoch,
    };

    private RunnerRoot Root => new(_path);

    [Fact]
    public async Task Commit_States_TheLastOneCounts()
    {
        using var machine = MachineFolder.Take(Root, "redis");
        Assert.Null(machine.State);
        var first = machine.BeginState();
        await machine.CommitAsync(first, Record("one"));
        var second = machine.BeginState();
        Assert.Equal((first, "one"), (machine.State?.Folder, machine.State?.Record.Package));
        await machine.CommitAsync(second, Record("two"));

        Assert.Equal((second, "two"), (machine.State?.Folder, machine.State?.Record.Package));
        machine.Clean();
        Assert.Equal(second, Assert.Single(Directory.EnumerateDirectories(machine.Path)));
        Assert.Equal("two", Assert.Single(Root.PackagesInUse()));
    }

    [Fact]
    public async Task Clean_StateThatWasNotFinished_LeavesTheFormer()
    {
        using (var machine = MachineFolder.Take(Root, "redis"))
        {
            await machine.CommitAsync(machine.BeginState(), Record("one"));
            await File.WriteAllTextAsync(Path.Combine(machine.BeginState(), "memory"), "half", TestContext.Current.CancellationToken);
            await File.WriteAllTextAsync(machine.Overlay, "of a run that was killed", TestContext.Current.CancellationToken);
        }

        using var again = MachineFolder.Take(Root, "redis");
        await Leftovers.CleanAsync(again);

        Assert.Equal("one", again.State?.Record.Package);
        Assert.Equal(again.State!.Folder, Assert.Single(Directory.EnumerateDirectories(again.Path)));
        Assert.False(File.Exists(again.Overlay));
    }

    [Fact]
    public async Task Forget_State_IsGoneAfterCleaning()
    {
        using var machine = MachineFolder.Take(Root, "redis");
        await machine.CommitAsync(machine.BeginState(), Record("one"));

        machine.Forget();

        Assert.Null(machine.State);
        machine.Clean();
        Assert.Empty(Directory.EnumerateFileSystemEntries(machine.Path));
    }

    [Fact]
    public async Task Take_Taken_IsRefusedAndNamesWhoRunsIt()
    {
        using (var machine = MachineFolder.Take(Root, "redis"))
        {
            await machine.WriteRunAsync(new RunRecord("4711:1", "/dev/shm/none", Peer: null));

            var error = Assert.Throws<RunnerException>(() => MachineFolder.Take(Root, "redis"));

            Assert.Equal(RunnerErrorCode.Conflict, error.Code);
            Assert.StartsWith("The machine 'redis' is being run already by process 4711: ", error.Message, StringComparison.Ordinal);
            using var other = MachineFolder.Take(Root, "redis-2");
        }

        using var again = MachineFolder.Take(Root, "redis");
    }

    [Theory]
    [InlineData("")]
    [InlineData("state-none")]
    [InlineData("../../etc")]
    public void State_PointsNowhere_IsNone(string current)
    {
        using var machine = MachineFolder.Take(Root, "redis");
        File.WriteAllText(Path.Combine(machine.Path, "current"), current);

        Assert.Null(machine.State);
    }

    public void Dispose() => Directory.Delete(_path, recursive: true);
}
