"""Explaining a classifier's decision, and judging the explanations. No TensorFlow and no page in here."""
