"""Solves of a few hundred rows on one thread of numpy's libraries: on a busy machine more of them mostly wait for each other."""

from contextlib import AbstractContextManager
from functools import cache

from threadpoolctl import ThreadpoolController


def limit_blas_to_one_thread() -> AbstractContextManager[object]:
    """While it lasts numpy and scipy solve on one thread."""
    limit: AbstractContextManager[object] = _controller().limit(limits=1, user_api="blas")
    return limit


@cache
def _controller() -> ThreadpoolController:
    """Looking for the loaded libraries takes milliseconds, so it is done once."""
    return ThreadpoolController()
