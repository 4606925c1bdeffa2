using StackExchange.Redis;

namespace Architekt.Fabric.Demo.Load;

/// <summary>Never connects again: a reconnect would hide the loss this client is here to notice.</summary>
internal sealed class NoReconnect : IReconnectRetryPolicy
{
    public bool ShouldRetry(long currentRetryCount, int timeElapsedMillisecondsSinceLastRetry) => false;
}
