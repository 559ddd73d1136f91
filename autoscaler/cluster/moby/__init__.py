"""The conversation with Docker engines, for `docker.py` and `swarm.py` beside this folder: where they are, what is asked of them, and
what they answered. The only folder that imports docker and tenacity. Decides nothing.
"""
