using Architekt.Fabric.Blueprints.Tests.Boot;

namespace Architekt.Fabric.Agents.Tests;

/// <summary>The agents where they belong: in a guest, behind virtio-serial.</summary>
public sealed class GuestBootTests : IAsyncDisposable
{
    private static readonly TimeSpan _long = TimeSpan.FromSeconds(120);

    private readonly string _folder = Directory.CreateTempSubdirectory("architekt-boot-").FullName;
    private StdioQemu? _qemu;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        if (_qemu is not null)
            await _qemu.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Guest_FromBootToPowerButton_DoesAllTheProtocolSays()
    {
        Start(Blueprint());
        var live = await LivenessListener.WaitAsync(await SocketAsync("liveness"), Cancellation).WaitAsync(_long, Cancellation);
        Assert.True(live.BootMs > 0);

        await using (var client = await AgentClient.ConnectAsync(await SocketAsync("agent"), Cancellation))
        {
            Assert.True((await client.BeforeSuspendAsync(_long, Cancellation)).Ok);
            // An hour ahead, so that the clock must be set; the guest's alone.
            var resumed = await client.AfterResumeAsync(DateTimeOffset.UtcNow.AddHours(1), _long, Cancellation);
            Assert.True(resumed.ClockSet);
            Assert.InRange(resumed.ClockOffsetNanoseconds!.Value / 1e9, -3700, -3500);
        }

        // The port of a guest lives on when its host leaves, and serves the next one.
        await using (var client = await AgentClient.ConnectAsync(await SocketAsync("agent"), Cancellation))
        {
            var resumed = await client.AfterResumeAsync(DateTimeOffset.UtcNow, _long, Cancellation);
            Assert.InRange(resumed.ClockOffsetNanoseconds!.Value / 1e9, 3500, 3700);
        }

        await _qemu!.PressPowerButtonAsync(_long, Cancellation);
        await _qemu.WaitForExitAsync(_long, Cancellation);
        Assert.Equal(0, _qemu.ExitCode);
    }

    private static string Blueprint()
    {
        var folder = Environment.GetEnvironmentVariable("ARCHITEKT_TEST_GUEST");
        if (folder is null || !File.Exists(Path.Combine(folder, "manifest.json")))
            Assert.Skip("ARCHITEKT_TEST_GUEST does not name a blueprint's folder; make one with compose/guest/build.sh FOLDER");
        if (!File.Exists("/usr/bin/qemu-system-x86_64"))
            Assert.Skip("qemu-system-x86_64 is not installed");
        return folder;
    }

    private void Start(string blueprint)
    {
        var arguments =
            $"-M q35 -accel tcg -cpu max -m 256 -nodefaults -no-user-config -display none -no-reboot -kernel {blueprint}/kernel -initrd {blueprint}/initramfs "
            + $"-drive file={blueprint}/disk,format=raw,if=none,id=disk,snapshot=on -device virtio-blk-pci,drive=disk -device virtio-serial-pci "
            + $"-serial file:{_folder}/console {Port("liveness")} {Port("agent")}";
        _qemu = new StdioQemu([.. arguments.Split(' '), "-append", "console=ttyS0 quiet panic=-1"]);
    }

    private string Port(string name) =>
        $"-chardev socket,id={name},path={_folder}/{name},server=on,wait=off -device virtserialport,chardev={name},name=org.architekt.{name}";

    /// <summary>The path of one of QEMU's sockets, once QEMU listens on it.</summary>
    private async Task<string> SocketAsync(string name)
    {
        await _qemu!.WaitUntilReadyAsync(_long, Cancellation);
        return Path.Combine(_folder, name);
    }
}
