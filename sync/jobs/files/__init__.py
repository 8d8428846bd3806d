"""Files of one link, each copied once."""
