// The fabric runs on Linux hosts only: KVM, userfaultfd and network namespaces have no counterpart elsewhere.
[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]
