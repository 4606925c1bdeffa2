namespace Architekt.Fabric.Processes.Tests;

internal static class Eventually
{
    internal static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    internal static async Task<T> GetAsync<T>(Func<T?> look, string what) where T : class
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Limit);
        while (!limit.IsCancellationRequested)
        {
            if (look() is { } found)
                return found;
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }

        throw new TimeoutException($"Waited {Limit.TotalSeconds} s for {what}.");
    }

    internal static Task TrueAsync(Func<bool> condition, string what) => GetAsync(() => condition() ? what : null, what);

    /// <summary>The number that a child writes, with a line end when it is complete.</summary>
    internal static async Task<int> ReadPidAsync(string file)
        => int.Parse((await GetAsync(() => File.Exists(file) && File.ReadAllText(file) is { } text && text.EndsWith('\n') ? text : null, file)).Trim());
}
