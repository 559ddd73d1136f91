"""Signals: numbers that others tell, on which a service can be scaled. Asked for and kept here; what they mean is not known here."""
