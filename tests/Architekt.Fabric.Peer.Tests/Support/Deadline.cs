namespace Architekt.Fabric.Peer.Tests.Support;

/// <summary>Tokens that cancel with the test and, so that a test that waits in vain says so, after a while.</summary>
internal static class Deadline
{
    public static CancellationToken After(int seconds)
    {
        var source = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        source.CancelAfter(TimeSpan.FromSeconds(seconds));
        return source.Token;
    }

    public static async Task UntilAsync(Func<Task<bool>> condition, string what, int seconds = 30)
    {
        var deadline = After(seconds);
        while (!await condition())
        {
            if (deadline.IsCancellationRequested) Assert.Fail($"Waited {seconds} s in vain: {what}.");
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }

    public static Task UntilAsync(Func<bool> condition, string what, int seconds = 30) =>
        UntilAsync(() => Task.FromResult(condition()), what, seconds);
}
