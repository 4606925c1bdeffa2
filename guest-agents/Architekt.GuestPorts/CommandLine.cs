using System.Globalization;

namespace Architekt.GuestPorts;

/// <summary>Reads <c>--name value</c> and <c>--name=value</c> options. The executables stay small without a library for it.</summary>
public sealed class CommandLine
{
    private readonly Dictionary<string, string?> _options = new(StringComparer.Ordinal);

    /// <summary>Reads the arguments.</summary>
    /// <param name="arguments">What came after the program's name.</param>
    /// <param name="withValue">Options that need a value, with their dashes.</param>
    /// <param name="withoutValue">Options that stand alone.</param>
    /// <exception cref="CommandLineException">An argument is not known, is repeated, or has no value.</exception>
    public CommandLine(IReadOnlyList<string> arguments, IReadOnlyCollection<string> withValue, IReadOnlyCollection<string> withoutValue)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        for (var index = 0; index < arguments.Count; index++)
        {
            var parts = arguments[index].Split('=', 2);
            var name = parts[0];
            string? value = null;
            if (withValue.Contains(name))
            {
                value = parts.Length == 2 ? parts[1]
                    : ++index < arguments.Count ? arguments[index]
                    : throw new CommandLineException($"{name} needs a value.");
            }
            else if (parts.Length == 2 || !withoutValue.Contains(name))
                throw new CommandLineException($"Unknown argument '{arguments[index]}'.");

            if (!_options.TryAdd(name, value))
                throw new CommandLineException($"{name} is given twice.");
        }
    }

    /// <summary>Whether an option was given.</summary>
    public bool Has(string name) => _options.ContainsKey(name);

    /// <summary>The value of an option, or null when it was not given.</summary>
    public string? Text(string name) => _options.GetValueOrDefault(name);

    /// <summary>The value of a numeric option.</summary>
    /// <exception cref="CommandLineException">It is not a number from <paramref name="minimum"/> to <paramref name="maximum"/>.</exception>
    public double Number(string name, double otherwise, double minimum, double maximum)
    {
        if (Text(name) is not { } text)
            return otherwise;
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number >= minimum && number <= maximum
            ? number
            : throw new CommandLineException($"{name} must be a number from {minimum} to {maximum}, not '{text}'.");
    }
}
