"""Data sets to train and evaluate classifiers on."""
