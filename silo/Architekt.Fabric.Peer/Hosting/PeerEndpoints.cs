using System.Text.Json;

namespace Architekt.Fabric.Peer.Hosting;

/// <summary>The HTTP API (docs/peer.md). Each call is one method of <see cref="PeerService"/>.</summary>
internal static class PeerEndpoints
{
    public static void Map(WebApplication app)
    {
        app.Use(AnswerErrorsAsync);
        for (var version = PeerApi.OldestVersion; version <= PeerApi.Version; version++) Map(app.MapGroup($"/v{version}"), version);
    }

    private static void Map(RouteGroupBuilder api, int version)
    {
        api.MapGet("/status", (PeerService peer) => peer.Status);
        api.MapPost("/boot", (PeerGrant grant, PeerService peer) => peer.BootAsync(grant.Epoch));
        if (version >= PeerApi.LeaseVersion) api.MapPost("/lease", (PeerLease lease, PeerService peer) => peer.ExtendLeaseAsync(lease));
        api.MapPost("/fill", (PeerFillMode fill, PeerService peer) => peer.SetFillAsync(fill));
        api.MapPost("/checkpoint", (PeerCheckpoint checkpoint, PeerService peer) => peer.CheckpointAsync(checkpoint));
        api.MapPost("/checkpoint/name", (PeerBaseName name, PeerService peer) => peer.NameCheckpointAsync(name));
        api.MapPost("/pause", (PeerGrant grant, PeerService peer) => peer.PauseAsync(grant.Epoch));
        api.MapPost("/resume", (PeerGrant grant, PeerService peer) => peer.ResumeAsync(grant.Epoch));
        api.MapPost("/stop", (PeerStop stop, PeerService peer) => peer.StopAsync(stop.Epoch, stop.Force));
        api.MapPost("/incoming", (PeerIncoming incoming, PeerService peer) => peer.ReceiveAsync(incoming));
        api.MapPost("/loaded", (PeerStep step, PeerService peer, CancellationToken ended) => peer.WaitLoadedAsync(step.WaitMs, ended));
        api.MapPost("/run", (PeerGrant grant, PeerService peer) => grant.IsRehearsal ? peer.RehearseRunAsync(grant.Epoch) : peer.RunAsync(grant.Epoch));
        api.MapPost("/discard", (PeerStep step, PeerService peer) => peer.DiscardAsync(step.Operation));
        api.MapPost("/copy", (PeerCopy copy, PeerService peer) => peer.CopyAsync(copy));
        api.MapGet("/transfer", (long after, PeerService peer, CancellationToken ended) => peer.WaitTransferAsync(after, ended));
        api.MapGet("/progress", StreamProgressAsync);
        api.MapPost("/suspend", (PeerStep step, PeerService peer) => peer.SuspendAsync(step.Operation));
        api.MapPost("/switch", (PeerStep step, PeerService peer) => peer.SwitchAsync(step));
        api.MapPost("/rollback", (PeerStep step, PeerService peer) => peer.RollBackAsync(step.Operation));
        api.MapPost("/release", (PeerStep step, PeerService peer) => peer.ReleaseAsync(step));
    }

    private static async Task StreamProgressAsync(HttpContext context, PeerService peer)
    {
        context.Response.ContentType = "application/x-ndjson";
        for (var version = -1L; ;)
        {
            var transfer = await peer.WaitTransferAsync(version, context.RequestAborted);
            if (transfer.Version != version)
            {
                await context.Response.WriteAsync(JsonSerializer.Serialize(transfer, PeerJson.Default.PeerTransfer) + "\n", context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
            }

            if (transfer.Error is not null || peer.Status.State != PeerState.Running) return;
            version = transfer.Version;
        }
    }

    private static async Task AnswerErrorsAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
        }
        catch (Exception error) when (!context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested)
        {
            var answer = error is PeerException known ? new PeerError(known.Code, known.Message) : new PeerError("Failed", error.Message);
            if (error is not PeerException) PeerLog.CallFailed(context.RequestServices.GetRequiredService<ILogger<PeerService>>(), context.Request.Path, error);
            context.Response.StatusCode = StatusCodes.Status409Conflict;
            await context.Response.WriteAsJsonAsync(answer, PeerJson.Default.PeerError);
        }
    }
}
