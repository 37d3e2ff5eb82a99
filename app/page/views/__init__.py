"""Pure functions from state to what the page shows."""
