"""Everything that a person touches: the page, the command line, and the pictures that both of them show."""

__version__ = "1.0.0"
