"""What we ask providers for: polls and full passes, and which of it is news."""
