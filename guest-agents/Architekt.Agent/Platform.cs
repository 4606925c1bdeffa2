// The agent runs in Linux guests only.
[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]
