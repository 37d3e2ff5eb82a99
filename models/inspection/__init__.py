"""Examines a model: what it is, what it wants of a picture, and what will go wrong with it."""
