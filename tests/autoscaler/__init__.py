"""Stories and tables about deciding, in virtual time."""
