using Architekt.Fabric.Network;
using Architekt.Fabric.Peer.Hosting;

namespace Architekt.Fabric.Peer.Migration;

/// <summary>
/// At the source: what arrives for the guest while it stands still goes after it as soon as it announces itself from the destination. That
/// takes no word of the control plane, which has better things to do just then, and a client waits for it.
/// </summary>
internal sealed class GuestFrames : IAsyncDisposable
{
    /// <summary>QEMU may not have taken from the TAP yet what came shortly before the stop. What it had taken comes twice, and is sorted out by the guest.</summary>
    private static readonly TimeSpan Untaken = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan ListenInterval = TimeSpan.FromMilliseconds(50);
    private readonly TapDevice _tap;
    private readonly string _bridge;
    private readonly InFlightFrames _frames;
    private readonly AnnouncementWatch _watch;
    private readonly ILogger _logger;
    private Task<int> _following = Task.FromResult(0);
    private DateTimeOffset _since;
    private volatile bool _isEnding;

    private GuestFrames(TapDevice tap, string bridge, InFlightFrames frames, AnnouncementWatch watch, ILogger logger)
    {
        _tap = tap;
        _bridge = bridge;
        _frames = frames;
        _watch = watch;
        _logger = logger;
    }

    /// <summary>Begins to keep what is sent to the guest; some time before it stops.</summary>
    public static GuestFrames Capture(TapDevice tap, PeerInstance instance, ILogger logger)
    {
        var guest = MacAddress.Parse(instance.Mac!);
        var frames = InFlightFrames.Capture(tap.Name, guest);
        try
        {
            return new GuestFrames(tap, instance.Bridge!, frames, AnnouncementWatch.Begin(tap.Name, guest, ListenInterval), logger);
        }
        catch
        {
            frames.Dispose();
            throw;
        }
    }

    /// <summary>Forgets what the guest has had; right before it stops.</summary>
    public void Discard() => _frames.Discard();

    /// <summary>The guest stands still since then: its announcement can only come from the destination.</summary>
    public void FollowFrom(DateTimeOffset stoppedAt)
    {
        _since = stoppedAt - Untaken;
        _following = Task.Factory.StartNew(Follow, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>After the commit: sends what is left, and says how many frames there were in all.</summary>
    public async Task<int> FinishAsync()
    {
        _isEnding = true;
        var followed = await _following;

        // Makes this host's bridge forget the guest's port, should the announcement not have come this way.
        _tap.SetUp(false);
        var forwarded = followed + _frames.ForwardTo(_bridge, _since);
        PeerLog.FramesCarried(_logger, forwarded, _frames.Lost);
        return forwarded;
    }

    public async ValueTask DisposeAsync()
    {
        _isEnding = true;
        await ((Task)_following).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _watch.Dispose();
        _frames.Dispose();
    }

    private int Follow()
    {
        while (!_isEnding)
        {
            if (_watch.Wait()) return _frames.ForwardTo(_bridge, _since);
        }

        return 0;
    }
}
