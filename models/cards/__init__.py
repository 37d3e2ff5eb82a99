"""Descriptions of classifiers: cards, metadata fields, sidecar files."""
