"""Whether the classifier's output follows the map."""
