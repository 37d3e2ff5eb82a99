"""All kinds of classifiers behind one interface."""
