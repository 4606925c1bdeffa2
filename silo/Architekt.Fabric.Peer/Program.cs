using Architekt.Fabric.Peer.Hosting;

return await PeerHost.RunAsync(args);
