"""A pass over what is marked: claimed, read, worked on object by object, written, committed."""
