"""`ecluse decide`: snapshots read and written, stories told."""
