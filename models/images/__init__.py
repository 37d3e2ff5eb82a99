"""From encoded bytes to pixels of the classifier's size."""
