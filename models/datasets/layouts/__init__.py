"""Data set layouts: each reads a folder as its publisher left it."""
