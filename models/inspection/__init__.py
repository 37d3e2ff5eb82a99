"""Inspects a model: what it is, which preprocessing it expects, and which problems its maps will have."""
