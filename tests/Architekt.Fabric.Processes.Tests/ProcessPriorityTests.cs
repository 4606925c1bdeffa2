using System.Diagnostics;
using System.Globalization;

namespace Architekt.Fabric.Processes.Tests;

public sealed class ProcessPriorityTests
{
    private const int NiceField = 18; // of /proc/PID/stat, counted from 0 (proc(5))

    [Fact]
    public void TrySet_Lower_HoldsForTheProcessAndWhatItStarts()
    {
        using var process = Process.Start(new ProcessStartInfo("sh", ["-c", "read go; sleep 60"]) { RedirectStandardInput = true })!;
        try
        {
            Assert.True(ProcessPriority.TrySet(process.Id, 7));
            process.StandardInput.WriteLine();

            Assert.Equal(7, NiceOf(process.Id));
            Assert.Equal(7, NiceOf(WaitForChild(process.Id)));
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }
    }

    [Fact]
    public void TrySet_NoSuchProcess_IsFalse() => Assert.False(ProcessPriority.TrySet(int.MaxValue, 1));

    [Theory]
    [InlineData(-21)]
    [InlineData(20)]
    public void TrySet_OutOfRange_Throws(int nice) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => ProcessPriority.TrySet(Environment.ProcessId, nice));

    private static int WaitForChild(int pid)
    {
        var deadline = Stopwatch.StartNew();
        while (deadline.Elapsed < TimeSpan.FromSeconds(30))
        {
            var children = File.ReadAllText($"/proc/{pid}/task/{pid}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (children.Length > 0) return int.Parse(children[0], CultureInfo.InvariantCulture);
            Thread.Yield();
        }

        throw new TimeoutException("The shell started nothing.");
    }

    private static int NiceOf(int pid) => int.Parse(File.ReadAllText($"/proc/{pid}/stat").Split(' ')[NiceField], CultureInfo.InvariantCulture);
}
