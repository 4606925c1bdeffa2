namespace Architekt.Fabric.Memory.Tests;

/// <summary>The RAM of a package with content that differs from page to page, and with holes.</summary>
internal static class TestPackage
{
    private const int Page = GuestMemory.PageSize;

    /// <summary>Makes the file.</summary>
    /// <param name="path">Where.</param>
    /// <param name="pages">Size of the RAM.</param>
    /// <param name="data">First page and number of pages of each stretch that is not hole.</param>
    public static string Create(string path, int pages, params IEnumerable<(int First, int Count)> data)
    {
        using var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write);
        RandomAccess.SetLength(file, (long)pages * Page);
        foreach (var (first, count) in data)
        {
            var bytes = new byte[count * Page];
            new Random(first).NextBytes(bytes);
            RandomAccess.Write(file, bytes, (long)first * Page);
        }
        return path;
    }

    /// <summary>The sum of a page's bytes, as the guest answers it.</summary>
    public static string Sum(string path, int page)
    {
        using var file = File.OpenHandle(path);
        var bytes = new byte[Page];
        RandomAccess.Read(file, bytes, (long)page * Page);
        return bytes.Sum(value => value).ToString(System.Globalization.CultureInfo.InvariantCulture);
    }
}
