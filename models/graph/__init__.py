"""Reads a network's graph: layers, inputs, traces."""
