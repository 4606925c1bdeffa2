using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Peers;

/// <summary>Starts a peer for an instance folder that has been written.</summary>
public static class PeerProcess
{
    private static readonly TimeSpan _deadline = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan _interval = TimeSpan.FromMilliseconds(5);

    /// <summary>Starts the program; it has not said anything yet.</summary>
    /// <param name="program">The peer's executable.</param>
    /// <param name="folder">Its instance folder.</param>
    /// <param name="outlives">Whether it outlives the service this process may belong to.</param>
    /// <param name="cancellationToken">Cancels the start; what was begun is killed.</param>
    /// <exception cref="ToolMissingException">There is no such program.</exception>
    /// <exception cref="CommandFailedException">It ended at once.</exception>
    public static Task<ProcessIdentity> StartAsync(string program, InstanceFolder folder, bool outlives, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(folder);
        string[] args = ["--folder", folder.Path];
        return outlives
            ? DetachedProcess.StartAsync(program, args, env: null, workingDir: folder.Path, folder.LogPath, cancellationToken)
            : DetachedProcess.StartInSessionAsync(program, args, env: null, workingDir: folder.Path, folder.LogPath, cancellationToken);
    }

    /// <summary>Waits until it answers on its socket.</summary>
    /// <param name="client">Speaks to it.</param>
    /// <param name="process">The peer.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TimeoutException">It ended, or does not answer within 15 s.</exception>
    public static async Task WaitUntilAnsweringAsync(PeerClient client, ProcessIdentity process, TimeProvider time, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(time);
        var began = time.GetTimestamp();
        while (true)
        {
            try
            {
                await client.GetStatusAsync(cancellationToken);
                return;
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                if (time.GetElapsedTime(began) > _deadline || !process.IsAlive()) throw new TimeoutException("it never answered on its socket", error);
                await Task.Delay(_interval, time, cancellationToken);
            }
        }
    }
}
