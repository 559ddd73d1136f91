"""The `processes` engine: `engine.py` is what others know of it, the files beside it what it is made of."""
