using Architekt.Fabric.Simulation;

return Runner.Run(args);
