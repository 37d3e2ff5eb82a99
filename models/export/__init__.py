"""Exporting a classifier to other formats, each file compared with the original."""
