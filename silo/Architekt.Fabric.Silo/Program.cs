using Architekt.Fabric;
using Architekt.Fabric.Silo;
using Microsoft.Extensions.Options;

try
{
    await using var app = await SiloHost.BuildAsync(args, CancellationToken.None);
    await app.RunAsync();
    return 0;
}
catch (Exception error) when (error is FabricException or OptionsValidationException or IOException)
{
    await Console.Error.WriteLineAsync($"architekt silo: {error.Message}");
    return 1;
}
catch (System.Data.Common.DbException error)
{
    await Console.Error.WriteLineAsync($"architekt silo: Postgres went away while the silo started: {error.Message.TrimEnd('.')}. Check that it runs, and start the silo again.");
    return 1;
}
