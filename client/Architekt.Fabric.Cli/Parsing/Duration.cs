using System.Buffers;
using System.Globalization;

namespace Architekt.Fabric.Cli.Parsing;

/// <summary>Durations as people write them: 5ms, 30s, 1.5s, 10m, 1h, 1m30s. A number without a unit is refused: it would be guessed wrongly.</summary>
internal static class Duration
{
    private static readonly SearchValues<char> _digits = SearchValues.Create("0123456789.");
    private static readonly TimeSpan _longest = TimeSpan.FromDays(365);

    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        var rest = text.AsSpan();
        if (rest.IsEmpty) return false;
        var ticks = 0m;
        // Units must get smaller from left to right, each at most once.
        var lastUnit = decimal.MaxValue;
        while (!rest.IsEmpty)
        {
            var length = rest.IndexOfAnyExcept(_digits);
            if (length <= 0) return false;
            if (!decimal.TryParse(rest[..length], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)) return false;
            rest = rest[length..];
            var next = rest.IndexOfAny(_digits);
            var name = next < 0 ? rest : rest[..next];
            var unit = name switch
            {
                "ms" => TimeSpan.TicksPerMillisecond,
                "s" => TimeSpan.TicksPerSecond,
                "m" => TimeSpan.TicksPerMinute,
                "h" => TimeSpan.TicksPerHour,
                "d" => TimeSpan.TicksPerDay,
                _ => 0m,
            };
            if (unit == 0 || unit >= lastUnit || number > _longest.Ticks / unit) return false;
            lastUnit = unit;
            ticks += number * unit;
            rest = rest[name.Length..];
        }

        if (ticks > _longest.Ticks || ticks != decimal.Truncate(ticks)) return false;
        duration = TimeSpan.FromTicks((long)ticks);
        return true;
    }

    /// <summary>As people read it: 5.2 ms, 1.24 s, 2 min 5 s.</summary>
    public static string Format(double milliseconds) => milliseconds switch
    {
        < 100 => $"{milliseconds.ToString("0.0", CultureInfo.InvariantCulture)} ms",
        < 1000 => $"{milliseconds.ToString("0", CultureInfo.InvariantCulture)} ms",
        < 60_000 => $"{(milliseconds / 1000).ToString("0.00", CultureInfo.InvariantCulture)} s",
        _ => $"{(long)(milliseconds / 60_000)} min {(long)(milliseconds % 60_000 / 1000)} s",
    };

    /// <summary>How long ago, in the largest unit: 12s, 5m, 3h, 2d.</summary>
    public static string FormatAge(TimeSpan age) => age switch
    {
        { TotalSeconds: < 1 } => "0s",
        { TotalMinutes: < 1 } => $"{(int)age.TotalSeconds}s",
        { TotalHours: < 1 } => $"{(int)age.TotalMinutes}m",
        { TotalDays: < 1 } => $"{(int)age.TotalHours}h",
        _ => $"{(int)age.TotalDays}d",
    };
}
