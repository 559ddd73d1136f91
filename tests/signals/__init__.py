"""Signals: what others tell."""
