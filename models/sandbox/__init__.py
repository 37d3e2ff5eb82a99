"""Untrusted model files: static checks before anything is built, and a confined process in which they are opened and evaluated."""
