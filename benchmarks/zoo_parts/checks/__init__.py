"""The checks of a zoo model: our maps and gradients, and what packages make of the same file."""
