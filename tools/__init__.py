"""Checks and generators for developers: `python -m tools.<name>`."""
