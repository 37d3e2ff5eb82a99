"""Explains a classifier's decisions and evaluates the explanations. No TensorFlow and no page in here."""
