using System.Globalization;

namespace Architekt.Fabric.Cli.Parsing;

/// <summary>Sizes as people write them: 4096, 512M, 1.5G, 64KiB. Units are powers of 1024, as in QEMU.</summary>
internal static class ByteSize
{
    private static readonly string[] _units = ["B", "KiB", "MiB", "GiB", "TiB"];

    public static bool TryParse(string text, out long bytes)
    {
        bytes = 0;
        var digits = text.AsSpan().TrimEnd("KMGTkmgtiBb ");
        var unit = text.AsSpan(digits.Length);
        long factor = unit switch
        {
            "" or "B" => 1,
            "K" or "k" or "KiB" => 1L << 10,
            "M" or "m" or "MiB" => 1L << 20,
            "G" or "g" or "GiB" => 1L << 30,
            "T" or "t" or "TiB" => 1L << 40,
            _ => 0,
        };
        if (factor == 0 || !decimal.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)) return false;
        if (number > long.MaxValue / factor) return false;
        var exact = number * factor;
        if (exact != decimal.Truncate(exact)) return false;
        bytes = (long)exact;
        return true;
    }

    /// <summary>As people read it, with at most one decimal: 132.4 MiB.</summary>
    public static string Format(double bytes)
    {
        var unit = 0;
        // 1023.95 would be shown as 1024.0.
        while (Math.Abs(bytes) >= 1023.95 && unit < _units.Length - 1)
        {
            bytes /= 1024;
            unit++;
        }

        return $"{bytes.ToString(unit == 0 ? "0" : "0.#", CultureInfo.InvariantCulture)} {_units[unit]}";
    }
}
