"""Addresses at which providers call us, below PUBLIC_URL. Pure."""

from __future__ import annotations

APP = "app"
"""The last part of the one address of a connection whose connector is an app."""


def of_webhooks(public_url: str) -> str:
    """What the address of every webhook begins with."""
    return f"{public_url.rstrip('/')}/webhooks/"


def of_app(public_url: str, connection: str) -> str:
    """Where an app tells of changes."""
    return f"{of_webhooks(public_url)}{connection}/{APP}"


def of_interactions(public_url: str, connection: str) -> str:
    """Where people's requests come in."""
    return f"{public_url.rstrip('/')}/interactions/{connection}"
