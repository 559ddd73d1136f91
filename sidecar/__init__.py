"""Puts the three together: command line, configuration file, supervisor of the workers, admin API and page."""
