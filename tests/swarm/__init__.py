"""The swarm engine: in virtual time over a toy, and on a real Swarm of three nodes."""
