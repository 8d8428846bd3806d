"""Slack: threads of a channel and the tasks of a project."""

from __future__ import annotations

from connectors.slack.connector import Slack

connector = Slack()
