"""Comments of one link, each exactly once."""
