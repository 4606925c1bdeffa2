using System.Net;
using System.Text.Json;
using Architekt.Fabric.Demo.Load;
using StackExchange.Redis;

// The client outside the guest. Its commands come on standard input, one a line, and each is answered by one line of JSON:
//   begin NAME   an interval of that name begins          {"name"}
//   end NAME     it ends                                  {"name", "writes", "longestGapMs", "seconds"}
//   finish       the writing ends, the writes are checked {"acknowledgedWrites", "lostWrites", "connectionSurvived", ...}
// The first line of output, {"connection"}, says that it is connected.
var json = new JsonSerializerOptions(JsonSerializerDefaults.Web);
if (args.Length is < 1 or > 2 || !IPEndPoint.TryParse(args[0], out var server) || !int.TryParse(args.ElementAtOrDefault(1) ?? "500000", out var keys) || keys < 1)
{
    Console.Error.WriteLine("Usage: Architekt.Fabric.Demo ADDRESS:PORT [KEYS]    commands: begin NAME, end NAME, finish");
    return 2;
}

try
{
    await using var load = await RedisLoad.StartAsync(server, "demo", keys, TimeSpan.FromSeconds(60), TimeProvider.System);
    Answer(new { load.Connection });
    while (await Console.In.ReadLineAsync() is { } line)
    {
        switch (line.Split(' ', 2))
        {
            case ["begin", var name]:
                load.Log.Begin(name);
                Answer(new { name });
                break;
            case ["end", var name] when load.Log.End(name):
                Answer(load.Log.Measure(name));
                break;
            case ["finish"]:
                Answer(await load.FinishAsync());
                return 0;
            default:
                Console.Error.WriteLine($"demo client: '{line}' is no command, or ends what was never begun.");
                return 2;
        }
    }
    Console.Error.WriteLine("demo client: standard input ended without 'finish'.");
    return 3;
}
catch (RedisConnectionException e)
{
    Console.Error.WriteLine($"demo client: cannot connect to Redis at {server}: {e.Message}");
    return 4;
}

void Answer<T>(T answer)
{
    Console.Out.WriteLine(JsonSerializer.Serialize(answer, json));
    Console.Out.Flush();
}
