namespace Architekt.Fabric.Qemu.Tests;

/// <summary>Tokens that cancel with the test and, so that a test that waits in vain says so, after a while.</summary>
internal static class Deadline
{
    public static CancellationToken After(int seconds)
    {
        var source = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        source.CancelAfter(TimeSpan.FromSeconds(seconds));
        return source.Token;
    }

    public static async Task UntilAsync(Func<Task<bool>> condition, int seconds = 20)
    {
        var deadline = After(seconds);
        while (!await condition()) await Task.Delay(10, deadline);
    }

    public static Task UntilAsync(Func<bool> condition, int seconds = 20) => UntilAsync(() => Task.FromResult(condition()), seconds);
}
