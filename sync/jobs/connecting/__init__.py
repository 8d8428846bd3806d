"""Accounts at providers: credentials, sessions, limits."""
