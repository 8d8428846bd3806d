"""A small tracker that keeps everything in memory: the template to copy, and a test double."""

from __future__ import annotations

from connectors.memory.connector import MemoryConnector

connector = MemoryConnector()
