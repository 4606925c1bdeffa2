using Architekt.Init;
using Architekt.Init.Processes;

const string Help = """
    architekt-init: the first process of a guest. The kernel starts it from the initramfs that `fabric blueprint build` makes.

    As any other process it can only become another program:
      architekt-init exec UID GID GROUP,... FOLDER PROGRAM [ARGUMENT...]
    """;

if (args is [Launcher.Verb, .. var arguments])
    return Launcher.Run(arguments);
if (Environment.ProcessId != 1)
{
    Console.Error.WriteLine(Help);
    return 2;
}

Guest.Run();
return 1;
