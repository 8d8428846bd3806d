"""Asana: the hub, through the same contract as every other provider."""

from __future__ import annotations

from connectors.asana.connector import connector

__all__ = ["connector"]
