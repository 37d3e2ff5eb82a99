"""Commands that regenerate stored results: `python -m app.maintenance.<name>`."""
