"""Shared parts of the methods that change the picture: superpixels, coalitions, estimators, convergence."""
