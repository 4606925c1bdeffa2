using Architekt.Fabric.Faults.History;

namespace Architekt.Fabric.Faults.Tests.History;

public sealed class QemuTraceTests
{
    [Fact]
    public void ReadRuns_ChangesOfQemuItself_AreIntervals()
    {
        // As QEMU 7.2 writes them.
        string[] trace =
        [
            "12@1795652401.600000:runstate_set current_run_state 6 (prelaunch) new_state 9 (running)",
            "12@1795652401.701320:runstate_set current_run_state 9 (running) new_state 4 (paused)",
            "12@1795652401.701473:runstate_set current_run_state 4 (paused) new_state 9 (running)",
            "2026-11-26T00:20:01.701473Z qemu-system-x86_64: something else",
            "",
        ];

        var runs = QemuTrace.ReadRuns(trace).ToList();

        Assert.Equal(2, runs.Count);
        Assert.Equal(TimeSpan.FromMicroseconds(101_320), runs[0].To - runs[0].From);
        Assert.Equal(1795652401_701L, runs[1].From.ToUnixTimeMilliseconds());
        Assert.Null(runs[1].To);
    }

    [Fact]
    public void ReadRuns_DestinationThatNeverRan_HasNone() =>
        Assert.Empty(QemuTrace.ReadRuns(["1@1.000001:runstate_set current_run_state 1 (inmigrate) new_state 4 (paused)"]));

    [Fact]
    public void FindInstance_PathOfTheRam_TellsHostVmAndEpoch() => Assert.Equal(
        ("host-b", "redis-2", 12L),
        QemuTrace.FindInstance("-name guest=redis-2 -object memory-backend-file,id=ram0,size=1,mem-path=/var/tmp/x.y/host-b/run/redis-2.12/ram,share=on"));

    [Fact]
    public void FindInstance_NoVm_IsNone() => Assert.Null(QemuTrace.FindInstance("-version"));
}
