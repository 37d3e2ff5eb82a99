"""Pictures drawn by a program, whose evidence is known."""
