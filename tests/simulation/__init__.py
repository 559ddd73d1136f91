"""The simulation: the model against what is known, the same seed twice, the traces, the command."""
