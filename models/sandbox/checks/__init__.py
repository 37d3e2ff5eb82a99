"""Static checks of a model file, before anything opens it."""
