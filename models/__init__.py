"""Classifiers: what they are (card), how they answer (classifier), where they come from (loading, training, store)."""
