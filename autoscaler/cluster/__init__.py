"""One file per engine, each with the same four verbs: list, start, stop, watch (see `engine.py`)."""
