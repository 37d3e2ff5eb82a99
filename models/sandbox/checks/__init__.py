"""Static checks of a model file, run before anything opens it."""
