using System.Diagnostics;
using System.Text.Json;

namespace Architekt.Fabric.Memory.Tests;

/// <summary>Commands for a QEMU that was started with <c>-qmp stdio</c>.</summary>
internal static class Qmp
{
    /// <summary>Runs a command and returns its answer; events in between are left out.</summary>
    public static JsonElement Execute(Process qemu, string command, string arguments = "{}")
    {
        qemu.StandardInput.WriteLine($"{{\"execute\":\"{command}\",\"arguments\":{arguments}}}");
        qemu.StandardInput.Flush();
        while (qemu.StandardOutput.ReadLine() is { } line)
        {
            using var message = JsonDocument.Parse(line);
            if (message.RootElement.TryGetProperty("error", out var error))
                throw new InvalidOperationException($"QEMU refused {command}: {error}");
            if (message.RootElement.TryGetProperty("return", out var answer))
                return answer.Clone();
        }
        throw new InvalidOperationException($"QEMU ended at {command}: {qemu.StandardError.ReadToEnd()}");
    }

    /// <summary>Asks until the answer's status is the one that is waited for.</summary>
    public static async Task UntilAsync(Process qemu, string query, string status, int seconds)
    {
        for (var begin = Stopwatch.GetTimestamp(); ;)
        {
            var found = Execute(qemu, query).TryGetProperty("status", out var property) ? property.GetString() : null;
            if (found == status)
                return;
            Assert.NotEqual("failed", found);
            Assert.True(Stopwatch.GetElapsedTime(begin).TotalSeconds < seconds, $"{query} still says {found} and not {status}");
            await Task.Delay(2, TestContext.Current.CancellationToken);
        }
    }
}
