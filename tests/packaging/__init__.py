"""Écluse in containers: its image, what a socket proxy has to let through, and the examples as they are written."""
