"""Classifiers of every kind behind one interface."""
