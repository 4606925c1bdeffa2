using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Architekt.Fabric.Peer.Tests.Support;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Peer.Tests;

/// <summary>What a guest was told is on its disk is there, however often it was moved meanwhile; judged from outside the guest by the disk itself.</summary>
[Collection(OneMigratingGuest.Name)]
public sealed partial class PeerServiceDiskTests(MigratingGuest guest)
{
    private const int Migrations = 10;
    private const int AcknowledgedBetween = 5;
    private const string Folder = "/var/lib/records";

    /// <summary>Files of one line, the checksum of the rest, each synced before its number is said on the console.</summary>
    private const string Writer = $$"""
        mkdir -p {{Folder}}; touch /tmp/writing;
        (n=0; while [ -e /tmp/writing ]; do n=$((n+1)); body="$n $(head -c 3000 /dev/urandom | base64 -w 0)";
        printf '%s\n%s' "$(printf %s "$body" | sha256sum | cut -d ' ' -f 1)" "$body" | dd of={{Folder}}/$n bs=64k conv=fsync 2>/dev/null && echo "written-$n."; done; echo "writer-ended.") >/dev/console 2>&1 </dev/null &
        """;

    [Fact]
    public async Task Migrate_TenTimesWhileTheGuestWrites_ItShutsDownWithEverySyncedFileOnACleanDisk()
    {
        await guest.RequireLiveAsync();
        RequireTools("e2fsck", "debugfs");
        var peers = new List<TestPeer> { guest.Current };
        await GuestShell.RunAsync(guest.Current, Writer.ReplaceLineEndings(" "));

        for (var migration = 1; migration <= Migrations; migration++)
        {
            await UntilWrittenAsync(peers, AcknowledgedBetween);
            await guest.MigrateAsync($"records-{migration}", verify: migration == Migrations);
            peers.Add(guest.Current);
        }

        await UntilWrittenAsync(peers, AcknowledgedBetween);
        await GuestShell.RunAsync(guest.Current, "rm /tmp/writing");
        await Deadline.UntilAsync(() => Console(peers).Contains("writer-ended.", StringComparison.Ordinal), "the writer ends");
        Assert.Matches(@"diskcheck: \d+ ok, 0 bad", await GuestShell.RunAsync(guest.Current, "diskcheck verify"));
        var epoch = guest.Current.Instance.Epoch;
        await guest.Current.Service.StopAsync(epoch, force: false);

        // On its way down the guest resets its devices, and QEMU must be able to do that with what it has loaded.
        Assert.Equal(new PeerExit(epoch, PeerExitKind.ShutDown, "the guest shut down"), await guest.Current.WaitForExitAsync(60));

        var acknowledged = Acknowledged(peers);
        Assert.InRange(acknowledged.Count, Migrations * AcknowledgedBetween, int.MaxValue);
        Assert.DoesNotContain("is bad:", Console(peers), StringComparison.Ordinal);
        using var disk = await FinalDisk.OpenAsync(guest.Current);
        await disk.CheckAsync();
        var records = await disk.ReadFolderAsync(Folder);
        foreach (var number in acknowledged) Assert.True(IsWhole(records, number), $"Record {number} of {acknowledged.Count} was acknowledged and is not on the disk.");
        TestContext.Current.TestOutputHelper?.WriteLine($"{acknowledged.Count} records across {Migrations} migrations");
    }

    private static void RequireTools(params string[] tools)
    {
        foreach (var tool in tools)
        {
            if (ExecutablePath.Find(tool) is null) Assert.Skip($"{tool} is not installed (package e2fsprogs).");
        }
    }

    private static async Task UntilWrittenAsync(List<TestPeer> peers, int more)
    {
        var before = Acknowledged(peers).Count;
        await Deadline.UntilAsync(() => Acknowledged(peers).Count >= before + more, $"the guest writes {more} more records", 60);
    }

    /// <summary>All that the guest has said, in order: each host has the part that was said there.</summary>
    private static string Console(IEnumerable<TestPeer> peers) => string.Concat(peers.Select(static peer => peer.ConsoleText()));

    private static IReadOnlyList<int> Acknowledged(IEnumerable<TestPeer> peers) =>
        [.. WrittenPattern().Matches(Console(peers)).Select(static match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)).Distinct()];

    private static bool IsWhole(string folder, int number)
    {
        var file = Path.Combine(folder, $"{number}");
        if (!File.Exists(file)) return false;
        var text = File.ReadAllText(file);
        var end = text.IndexOf('\n', StringComparison.Ordinal);
        return end > 0 && text[(end + 1)..].StartsWith($"{number} ", StringComparison.Ordinal)
            && text[..end] == Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(text[(end + 1)..])));
    }

    [GeneratedRegex(@"written-(\d+)\.")]
    private static partial Regex WrittenPattern();
}
