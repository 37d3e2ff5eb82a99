"""What is written down about a classifier: card, metadata fields, files beside the model."""
