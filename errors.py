"""The one exception that a person reads: a sentence that says what is wrong, the value seen and what to do."""


class UserError(Exception):
    """A mistake in what was given, not in the program: the page shows its words, the command line prints them and exits with 2."""
