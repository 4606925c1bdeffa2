namespace Architekt.Fabric.Nbd.Tests;

internal static class Until
{
    private static readonly TimeSpan _deadline = TimeSpan.FromSeconds(20);

    /// <summary>Waits for a condition that another thread brings about.</summary>
    public static async Task TrueAsync(Func<bool> condition, string what)
    {
        var end = DateTime.UtcNow + _deadline;
        while (!condition())
        {
            Assert.True(DateTime.UtcNow < end, $"did not happen in time: {what}");
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }
}
