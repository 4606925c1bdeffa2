namespace Architekt.Fabric.Qemu;

public static partial class QmpCommands
{
    /// <summary>Starts QEMU's NBD server on a unix socket, which it creates: <c>nbd-server-start</c>. There is one per QEMU.</summary>
    public static Task NbdServerStartAsync(this QmpClient client, string socketPath, CancellationToken cancellationToken)
    {
        UnixSocketPath.Validate(socketPath);
        return client.ExecuteAsync(
            "nbd-server-start", new NbdServerStartArguments(new("unix", new(socketPath))), QmpJson.Default.NbdServerStartArguments, cancellationToken);
    }

    /// <summary>Stops QEMU's NBD server, drops its clients and removes its exports: <c>nbd-server-stop</c>.</summary>
    public static Task NbdServerStopAsync(this QmpClient client, CancellationToken cancellationToken) =>
        client.ExecuteAsync("nbd-server-stop", cancellationToken);

    /// <summary>Exports a block node over NBD: <c>block-export-add</c>.</summary>
    /// <param name="client">QEMU with a running NBD server.</param>
    /// <param name="id">Id of the export within QEMU.</param>
    /// <param name="nodeName">The node.</param>
    /// <param name="writable">Whether clients may write.</param>
    /// <param name="name">Name clients ask for; null is the node's name.</param>
    /// <param name="cancellationToken">Gives up waiting for the answer.</param>
    public static Task BlockExportAddAsync(
        this QmpClient client, string id, string nodeName, bool writable, string? name, CancellationToken cancellationToken) =>
        client.ExecuteAsync(
            "block-export-add", new BlockExportAddArguments("nbd", id, nodeName, writable, name), QmpJson.Default.BlockExportAddArguments, cancellationToken);

    /// <summary>Removes an export without clients: <c>block-export-del</c>.</summary>
    public static Task BlockExportDelAsync(this QmpClient client, string id, CancellationToken cancellationToken) =>
        client.ExecuteAsync("block-export-del", new IdArguments(id), QmpJson.Default.IdArguments, cancellationToken);

    /// <summary>Connects to an NBD export on a unix socket and makes it a block node: <c>blockdev-add</c>.</summary>
    /// <param name="client">The QEMU.</param>
    /// <param name="nodeName">What to call it.</param>
    /// <param name="socketPath">Where the export is.</param>
    /// <param name="export">Its name.</param>
    /// <param name="cancellationToken">Gives up waiting for the answer.</param>
    public static Task BlockdevAddNbdAsync(
        this QmpClient client, string nodeName, string socketPath, string export, CancellationToken cancellationToken)
    {
        UnixSocketPath.Validate(socketPath);
        return client.ExecuteAsync(
            "blockdev-add", new BlockdevAddNbdArguments("nbd", nodeName, new("unix", socketPath), export), QmpJson.Default.BlockdevAddNbdArguments,
            cancellationToken);
    }

    /// <summary>Removes a block node nobody uses: <c>blockdev-del</c>.</summary>
    public static Task BlockdevDelAsync(this QmpClient client, string nodeName, CancellationToken cancellationToken) =>
        client.ExecuteAsync("blockdev-del", new NodeNameArguments(nodeName), QmpJson.Default.NodeNameArguments, cancellationToken);

    /// <summary>Mirrors a node into another: <c>blockdev-mirror</c>. <see cref="QmpEventNames.BlockJobReady"/> tells when it has caught up.</summary>
    /// <param name="client">QEMU.</param>
    /// <param name="jobId">Id of the job.</param>
    /// <param name="device">The node to copy.</param>
    /// <param name="target">The node to copy into, of the same size.</param>
    /// <param name="sync">How much is copied.</param>
    /// <param name="copyMode">How writes of the guest are followed.</param>
    /// <param name="bytesPerSecond">Limit of the copying; null is none.</param>
    /// <param name="cancellationToken">Gives up waiting for the answer.</param>
    public static Task BlockdevMirrorAsync(
        this QmpClient client, string jobId, string device, string target, MirrorSync sync, MirrorCopyMode copyMode, long? bytesPerSecond,
        CancellationToken cancellationToken) =>
        client.ExecuteAsync(
            "blockdev-mirror", new BlockdevMirrorArguments(jobId, device, target, sync, copyMode, bytesPerSecond),
            QmpJson.Default.BlockdevMirrorArguments, cancellationToken);

    /// <summary>
    /// Cancels a job: <c>block-job-cancel</c>. Without <paramref name="force"/> a mirror that is ready finishes: the target is then a full copy as of now,
    /// QEMU stays on its own disk, and the event is <see cref="QmpEventNames.BlockJobCompleted"/>.
    /// </summary>
    public static Task BlockJobCancelAsync(this QmpClient client, string jobId, bool force, CancellationToken cancellationToken) =>
        client.ExecuteAsync("block-job-cancel", new BlockJobCancelArguments(jobId, force), QmpJson.Default.BlockJobCancelArguments, cancellationToken);

    /// <summary>The block jobs that run: <c>query-block-jobs</c>.</summary>
    public static async Task<IReadOnlyList<BlockJobInfo>> QueryBlockJobsAsync(this QmpClient client, CancellationToken cancellationToken) =>
        await QueryAsync(client.ExecuteAsync("query-block-jobs", cancellationToken), "query-block-jobs", QmpJson.Default.BlockJobInfoArray)
            .ConfigureAwait(false);

    /// <summary>The nodes of the block graph: <c>query-named-block-nodes</c>, flat.</summary>
    public static async Task<IReadOnlyList<BlockNode>> QueryNamedBlockNodesAsync(this QmpClient client, CancellationToken cancellationToken) =>
        await QueryAsync(
            client.ExecuteAsync("query-named-block-nodes", new FlatArguments(true), QmpJson.Default.FlatArguments, cancellationToken),
            "query-named-block-nodes", QmpJson.Default.BlockNodeArray).ConfigureAwait(false);
}
