"""Tests, laid out as the rooms they are about."""
