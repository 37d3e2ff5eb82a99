"""Models, checks and other packages of the zoo."""
