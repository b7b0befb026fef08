"""The ``pellucid`` command; what is heavy is imported when a command needs it."""

from __future__ import annotations

from pellucid.cli.app import app, main

__all__ = ["app", "main"]
