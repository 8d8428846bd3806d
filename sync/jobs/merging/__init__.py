"""The fields of one link: planned, written, settled; what was lost is listed and can be put back."""
