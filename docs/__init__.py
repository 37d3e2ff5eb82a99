"""The documentation, and the command that takes its picture of the page."""
