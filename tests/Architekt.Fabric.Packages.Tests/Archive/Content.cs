namespace Architekt.Fabric.Packages.Tests.Archive;

/// <summary>Contents for entries, made from a seed.</summary>
internal static class Content
{
    internal const int Page = 4096;

    /// <summary>Writes pages here and there into a file that is otherwise a hole.</summary>
    internal static Action<FileStream> Sparse(long size, int pages, int seed, bool compressible = false) => file =>
    {
        var random = new Random(seed);
        file.SetLength(size);
        for (var index = 0; index < pages; index++)
        {
            file.Position = random.NextInt64(size / Page) * Page;
            file.Write(PageOf(random, compressible));
        }
    };

    internal static byte[] PageOf(Random random, bool compressible)
    {
        var page = new byte[Page];
        random.NextBytes(page);
        if (compressible)
        {
            for (var index = 0; index < page.Length; index++)
                page[index] = (byte)("etaoin "[page[index] % 7]);
        }

        return page;
    }
}
