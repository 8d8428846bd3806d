"""GitHub: issues and pull requests of repositories."""

from __future__ import annotations

from connectors.github.connector import connector

__all__ = ["connector"]
