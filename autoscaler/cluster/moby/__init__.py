"""The conversation with Docker engines that `docker` and `swarm` share: where they are, what is asked of them, and how. The only folder
that imports docker and tenacity. Decides nothing.
"""
