"""What a visitor reads of an error."""

import logging

from errors import UserError

log = logging.getLogger(__name__)


def public_error_message(error: Exception, sentence: str = "Something went wrong ({}); the server's log says what.") -> str:
    """A UserError's own sentence. Any other error goes to the log, and only its type into the sentence."""
    if isinstance(error, UserError):
        return str(error)
    log.error(sentence.format(type(error).__name__), exc_info=error)
    return sentence.format(type(error).__name__)
