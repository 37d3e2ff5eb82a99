"""What the README shows, and the commands that make it."""
