using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.Json;
using Architekt.Fabric.Cli.Output;

namespace Architekt.Fabric.Cli.Parsing;

/// <summary>Arguments and options that check what they are given, so that a typing error costs no journey to the fabric.</summary>
internal static class Arguments
{
    public static Argument<string> Name(string what, string name = "NAME")
    {
        var argument = new Argument<string>(name) { Description = $"Name of the {what}.", HelpName = name };
        argument.Validators.Add(result => CheckName(result, result.GetValueOrDefault<string>(), what));
        return argument;
    }

    public static Argument<string> Package()
    {
        var argument = new Argument<string>("PACKAGE") { Description = "Name of the package, its digest, or at least 6 of the digest's first digits." };
        argument.Validators.Add(result =>
        {
            var reference = result.GetValueOrDefault<string>();
            if (!FabricNames.IsPackageReference(reference)) result.AddError(FabricNames.PackageReferenceProblem(reference));
        });
        return argument;
    }

    public static Argument<string> PackageName(string name, string description)
    {
        var argument = new Argument<string>(name) { Description = description };
        argument.Validators.Add(result =>
        {
            var given = result.GetValueOrDefault<string>();
            if (!FabricNames.IsPackageName(given)) result.AddError(FabricNames.PackageNameProblem(given));
        });
        return argument;
    }

    public static Option<string?> PackageNameOption(string option, string description)
    {
        var result = new Option<string?>(option) { Description = description, HelpName = "NAME" };
        result.Validators.Add(parsed =>
        {
            if (parsed.Tokens.Count > 0 && !FabricNames.IsPackageName(parsed.Tokens[0].Value)) parsed.AddError(FabricNames.PackageNameProblem(parsed.Tokens[0].Value));
        });
        return result;
    }

    public static Argument<string> OperationId()
    {
        var argument = new Argument<string>("ID") { Description = "Id of the operation, as shown by 'fabric operation list'." };
        argument.Validators.Add(result => CheckName(result, result.GetValueOrDefault<string>(), "operation"));
        return argument;
    }

    public static Option<string?> NameOption(string option, string what, string description, string helpName = "NAME")
    {
        var result = new Option<string?>(option) { Description = description, HelpName = helpName };
        result.Validators.Add(parsed =>
        {
            if (parsed.Tokens.Count > 0) CheckName(parsed, parsed.Tokens[0].Value, what);
        });
        return result;
    }

    public static Option<string[]> NamesOption(string option, string what, string description, string helpName)
    {
        var result = new Option<string[]>(option) { Description = description, HelpName = helpName, AllowMultipleArgumentsPerToken = true };
        result.Validators.Add(parsed =>
        {
            foreach (var token in parsed.Tokens) CheckName(parsed, token.Value, what);
        });
        return result;
    }

    public static Option<long?> Size(string option, string description) => new(option)
    {
        Description = description,
        HelpName = "SIZE",
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (ByteSize.TryParse(text, out var bytes)) return bytes;
            result.AddError($"'{text}' is not a size for {option}: write bytes or use K, M, G or T (powers of 1024), such as 512M or 1.5G.");
            return null;
        },
    };

    public static Option<TimeSpan?> Time(string option, string description) => new(option)
    {
        Description = description,
        HelpName = "TIME",
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (Duration.TryParse(text, out var duration)) return duration;
            result.AddError($"'{text}' is not a duration for {option}: write a number with ms, s, m, h or d, such as 5ms, 30s or 1m30s.");
            return null;
        },
    };

    public static Option<long?> Number(string option, string description, long minimum, long maximum)
    {
        var result = new Option<long?>(option)
        {
            Description = description,
            HelpName = "N",
            CustomParser = parsed =>
            {
                var text = parsed.Tokens[0].Value;
                if (long.TryParse(text, out var number) && number >= minimum && number <= maximum) return number;
                parsed.AddError($"'{text}' is not a value for {option}: write a whole number from {minimum} to {(maximum == long.MaxValue ? "any" : maximum)}.");
                return null;
            },
        };
        return result;
    }

    /// <summary>Repeatable <c>NAME=VALUE</c>; of the same name the last counts.</summary>
    public static Option<IReadOnlyDictionary<string, string>?> Assignments(string option, string description) => new(option)
    {
        Description = description,
        HelpName = "NAME=VALUE",
        Arity = ArgumentArity.OneOrMore,
        CustomParser = result =>
        {
            var values = new Dictionary<string, string>();
            foreach (var text in result.Tokens.Select(token => token.Value))
            {
                var end = text.IndexOf('=');
                if (end > 0) values[text[..end]] = text[(end + 1)..];
                else result.AddError($"'{text}' is not a value for {option}: write NAME=VALUE.");
            }

            return values;
        },
    };

    /// <summary>A program, or a JSON array of a program and its arguments: the two forms of a Dockerfile.</summary>
    public static Option<IReadOnlyList<string>?> CommandWords(string option, string description) => new(option)
    {
        Description = description,
        HelpName = "COMMAND",
        Arity = ArgumentArity.ExactlyOne,
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (!text.StartsWith('[')) return [text];
            try
            {
                if (JsonSerializer.Deserialize(text, CliJson.Compact.StringArray) is { } words && words.All(word => word is not null)) return words;
            }
            catch (JsonException)
            {
                // Said below.
            }

            result.AddError($"'{text}' is not a value for {option}: write a program, or a JSON array of texts such as [\"redis-server\",\"--port\",\"7000\"].");
            return null;
        },
    };

    public static Option<DateTimeOffset?> Moment(string option, string description) => new(option)
    {
        Description = description,
        HelpName = "TIME",
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment)) return moment;
            result.AddError($"'{text}' is not a moment for {option}: write it as in ISO 8601, such as 2026-01-31T12:00:00Z.");
            return null;
        },
    };

    private static void CheckName(SymbolResult result, string? name, string what)
    {
        if (FabricNames.IsValid(name)) return;
        result.AddError(
            $"'{name}' is not a name for a {what}: use 1 to {FabricNames.MaxNameLength} lower-case letters, digits and hyphens, with no hyphen at either end.");
    }
}
