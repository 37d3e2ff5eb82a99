"""Commands that remake stored results: `python -m app.maintenance.<name>`."""
