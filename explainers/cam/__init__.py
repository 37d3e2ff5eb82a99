"""Shared parts of the class activation map methods."""
