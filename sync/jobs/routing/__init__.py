"""A mapping made ready to work: its ends, rules, filters and people."""
