"""Evaluating a classifier on pictures whose class is known: metrics with intervals, curves, calibration, and its worst mistakes."""
