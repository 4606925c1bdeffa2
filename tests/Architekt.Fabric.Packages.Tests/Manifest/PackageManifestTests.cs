using System.Text;
using System.Text.Json.Nodes;
using CsCheck;

namespace Architekt.Fabric.Packages.Tests.Manifest;

public sealed class PackageManifestTests : IDisposable
{
    private readonly TempFolder _temp = new();
    private readonly TestBlueprint _blueprint;

    public PackageManifestTests() => _blueprint = new TestBlueprint(_temp);

    public void Dispose() => _temp.Dispose();

    [Fact]
    public void Parse_WhatWasWritten_IsTheSame()
    {
        var manifest = Parse();

        Assert.Equal("redis", manifest.Name);
        Assert.Equal(PackageKind.Blueprint, manifest.Kind);
        Assert.Equal(PackageMachineType.Q35, manifest.MachineType);
        Assert.Equal(["kernel", "initramfs", "disk"], manifest.Entries.Select(entry => entry.Name));
        Assert.Equal("org.architekt.agent", manifest.AgentPorts.Agent);
        Assert.Equal(File.ReadAllBytes(_blueprint.ManifestPath), manifest.ToUtf8());
    }

    [Fact]
    public void Parse_NewerFormat_SaysSoEvenWhenItLooksDifferent()
    {
        var error = Assert.Throws<PackageException>(
            () => PackageManifest.Parse("""{"formatVersion": 2, "pieces": {"a": 1}, "kind": "cloud"}"""u8, "manifest.json"));

        Assert.Equal(PackageErrorCode.UnsupportedVersion, error.Code);
        Assert.Contains("format version 2", error.Message);
        Assert.Contains("up to 1", error.Message);
    }

    [Theory]
    [InlineData("name", "\"../etc\"", "is not a package name")]
    [InlineData("name", "\"a/b\"", "is not a package name")]
    [InlineData("name", "\"Redis\"", "is not a package name")]
    [InlineData("name", "\"redis\\n\"", "is not a package name")]
    [InlineData("name", "\"\"", "is not a package name")]
    [InlineData("name", "\"sha256-redis\"", "is not a package name")]
    [InlineData("name", "null", "name")]
    [InlineData("formatVersion", "0", "no format version 0")]
    [InlineData("formatVersion", "\"1\"", "formatVersion")]
    [InlineData("kind", "\"snapshot\"", "'snapshot' is unknown; this version knows blueprint and package")]
    [InlineData("kind", "1", "is unknown")]
    [InlineData("machineType", "\"pc\"", "'pc' is unknown; this version knows q35 and microvm")]
    [InlineData("architecture", "\"aarch64\"", "this version knows x86_64")]
    [InlineData("vcpus", "0", "vcpus must be 1 to 255")]
    [InlineData("memoryBytes", "268435457", "multiple of 2 MiB")]
    [InlineData("memoryBytes", "268439552", "multiple of 2 MiB")]
    [InlineData("memoryBytes", "0", "multiple of 2 MiB")]
    [InlineData("memoryBytes", "-2097152", "multiple of 2 MiB")]
    [InlineData("kernelCommandLine", "\"a\\nb\"", "printable ASCII")]
    [InlineData("cpuFeatures", "[\"avx2,host-nodes=0\"]", "is not a CPU feature's name")]
    [InlineData("cpuFeatures", "[null]", "is not a CPU feature's name")]
    [InlineData("qemuVersion", "\"7.2; rm\"", "must be like 7.2.22")]
    [InlineData("agentPorts", "{\"liveness\": \"a,path=/etc/shadow\"}", "is not a port's name")]
    [InlineData("agentPorts", "{\"liveness\": \"a\", \"agent\": \"a\"}", "same name")]
    [InlineData("labels", "{\"a b\": \"c\"}", "is not a label's name")]
    [InlineData("labels", "{\"a\": null}", "must be text")]
    [InlineData("surprise", "1", "surprise")]
    [InlineData("createdAt", "\"yesterday\"", "createdAt")]
    [InlineData("entries", "[null]", "an entry is null")]
    [InlineData("entries", "[]", "needs the entry 'kernel'")]
    public void Parse_BrokenField_NamesTheProblem(string field, string value, string problem)
    {
        _blueprint.EditManifest(json => json[field] = JsonNode.Parse(value));

        var error = Assert.Throws<PackageException>(Parse);

        Assert.Equal(PackageErrorCode.Invalid, error.Code);
        Assert.Contains(problem, error.Message);
        Assert.Contains(_blueprint.ManifestPath, error.Message);
    }

    [Theory]
    [InlineData("name", "\"../../etc/passwd\"", "has no entry '../../etc/passwd'")]
    [InlineData("name", "\"memory\"", "a blueprint has no entry 'memory'")]
    [InlineData("name", "\"kernel\"", "'kernel' is there twice")]
    [InlineData("size", "0", "cannot have a size of 0")]
    [InlineData("size", "-1", "cannot have a size of -1")]
    [InlineData("size", "1000", "multiple of 512")]
    [InlineData("sha256", "\"ABC\"", "64 lower-case hexadecimal digits")]
    [InlineData("sha256", "\"../../../../../../../../../../../../../../../../../../../../../../xx\"", "64 lower-case hexadecimal digits")]
    public void Parse_BrokenEntry_NamesTheProblem(string field, string value, string problem)
    {
        _blueprint.EditManifest(json => json["entries"]![2]![field] = JsonNode.Parse(value));

        var error = Assert.Throws<PackageException>(Parse);

        Assert.Equal(PackageErrorCode.Invalid, error.Code);
        Assert.Contains(problem, error.Message);
    }

    [Fact]
    public void Parse_PackageWhoseMemoryIsAnotherSize_IsRefused()
    {
        var digest = new string('0', 64);
        var manifest = TestBlueprint.Manifest(
            "redis", [.. new[] { "kernel", "initramfs", "disk", "memory", "state" }.Select(name => new PackageEntry { Name = name, Size = 4096, Sha256 = digest })])
            with
        { Kind = PackageKind.Package, QemuVersion = "7.2.22", Machine = TestBlueprint.Machine };

        var error = Assert.Throws<PackageException>(manifest.ToUtf8);

        Assert.Contains("the memory's size is 4096", error.Message);
    }

    [Fact]
    public void Parse_PackageWithoutState_IsRefused()
    {
        _blueprint.EditManifest(json =>
        {
            json["kind"] = "package";
            json["qemuVersion"] = "7.2";
            json["machine"] = JsonNode.Parse("""{"accelerator": "tcg", "cpuModel": "max"}""");
        });

        Assert.Contains("a package needs the entry 'memory'", Assert.Throws<PackageException>(Parse).Message);
    }

    [Theory]
    [InlineData("null", "a package must have a machine")]
    [InlineData("""{"accelerator": "xen", "cpuModel": "max"}""", "accelerator must be kvm or tcg, not 'xen'")]
    [InlineData("""{"accelerator": "kvm", "cpuModel": "host,migratable=no"}""", "is not a CPU model's name")]
    [InlineData("""{"accelerator": "kvm", "cpuModel": "host", "mac": "52:54:00:AA:00:01"}""", "the machine's mac must be like")]
    [InlineData("""{"accelerator": "kvm", "cpuModel": "host", "mac": "52:54:00:aa:00:01,x=y"}""", "the machine's mac must be like")]
    [InlineData("""{"accelerator": "kvm"}""", "cpuModel")]
    public void Parse_PackageOfAMachineThatCannotBe_NamesTheProblem(string machine, string problem)
    {
        _blueprint.EditManifest(json =>
        {
            json["kind"] = "package";
            json["qemuVersion"] = "7.2";
            json["machine"] = JsonNode.Parse(machine);
        });

        Assert.Contains(problem, Assert.Throws<PackageException>(Parse).Message);
    }

    [Fact]
    public void Parse_BlueprintWithAMachine_IsRefused()
    {
        _blueprint.EditManifest(json => json["machine"] = JsonNode.Parse("""{"accelerator": "tcg", "cpuModel": "max"}"""));

        Assert.Contains("a blueprint has no machine", Assert.Throws<PackageException>(Parse).Message);
    }

    [Fact]
    public void Parse_DuplicateField_IsRefused()
    {
        var text = File.ReadAllText(_blueprint.ManifestPath);
        var doubled = text.Insert(text.IndexOf('{') + 1, "\"name\": \"other\",");

        var error = Assert.Throws<PackageException>(() => PackageManifest.Parse(Encoding.UTF8.GetBytes(doubled), "manifest.json"));

        Assert.Equal(PackageErrorCode.Invalid, error.Code);
    }

    [Fact]
    public void Parse_AnyDamage_IsAPackageExceptionOrAValidManifest()
    {
        var bytes = File.ReadAllBytes(_blueprint.ManifestPath);
        Gen.Select(Gen.Int[0, bytes.Length - 1], Gen.Byte).Array[1, 4].Sample(damage =>
        {
            var damaged = bytes.ToArray();
            foreach (var (index, value) in damage)
                damaged[index] = value;
            try
            {
                PackageManifest.Parse(damaged, "manifest.json").ToUtf8();
            }
            catch (PackageException)
            {
                // Refused as it should be; any other exception fails the test.
            }
        });
    }

    private PackageManifest Parse() => PackageManifest.Parse(File.ReadAllBytes(_blueprint.ManifestPath), _blueprint.ManifestPath);
}
