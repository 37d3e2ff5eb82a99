"""Writes a classifier in other formats, and checks each file that was written against the original."""
