"""The commands of ``asana-sync``, one file a subject."""
