"""Whether a map depends on the classifier and on the class."""
