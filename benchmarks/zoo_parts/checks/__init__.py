"""How a model of the zoo is judged: our maps and gradients, and what packages make of the same file."""
