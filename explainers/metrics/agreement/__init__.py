"""How alike maps are, beyond what chance would give."""
