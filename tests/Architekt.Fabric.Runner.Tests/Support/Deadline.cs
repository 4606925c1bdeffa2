namespace Architekt.Fabric.Runner.Tests.Support;

/// <summary>Waits for a condition and says which one it waited for in vain.</summary>
internal static class Deadline
{
    public static async Task UntilAsync(Func<Task<bool>> condition, Func<string> what, int seconds = 60)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(TimeSpan.FromSeconds(seconds));
        while (!await condition())
        {
            if (deadline.IsCancellationRequested) Assert.Fail($"Waited {seconds} s in vain: {what()}.");
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }

    public static Task UntilAsync(Func<bool> condition, Func<string> what, int seconds = 60) => UntilAsync(() => Task.FromResult(condition()), what, seconds);
}
