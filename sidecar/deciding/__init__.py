"""`ecluse decide`: rules tried on snapshots that somebody wrote, or a running program gave. Only `autoscaler.decide` decides."""
