"""The tables of maps whose evidence is known: phantoms, and the glass box."""
