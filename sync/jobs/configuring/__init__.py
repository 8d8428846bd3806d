"""A configuration: checked against the providers, foreseen, put in force."""
