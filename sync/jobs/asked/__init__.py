"""What an administrator asks of the engine: previews, audits, and things put right by hand."""
