"""The process that decodes visitors' pictures: limits and confines itself, then answers file after file with pixels or a sentence.

`models.sandbox.picture_decoder` starts it. It reads no file at all: everything that decoding needs is imported before it is confined.
"""

import os
import select
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

MEMORY = 1_000_000_000
"""Bytes of address space, of which Python and the image libraries take 300 MB."""
STARTING_CPU = 60

if TYPE_CHECKING:
    from models.sandbox.ipc import MessagePipes


def main() -> None:
    """Arguments: bytes that a file has at most, seconds of CPU time. Files come through standard input; output takes the answers."""
    most_bytes, seconds = map(int, sys.argv[1:])
    reading, writing = reserve_standard_streams()
    _limit_memory()
    _limit_processor(STARTING_CPU)
    _import_libraries()

    from errors import UserError
    from models.sandbox.confinement import SandboxProtection, confine_process
    from models.sandbox.ipc import MessagePipes, pipes_support_deadlines

    pipes = MessagePipes(reading, writing)
    try:
        protection = confine_process((), libraries=False) if sys.platform != "win32" else SandboxProtection(0, False)
    except (UserError, RuntimeError) as error:
        pipes.send({"error": str(error)})
        return
    if pipes_support_deadlines():
        threading.Thread(target=_exit_with, args=(reading,), daemon=True).start()
    pipes.send({"landlock": protection.landlock, "filtered": protection.filtered})
    with suppress(EOFError):
        while True:
            _answer(pipes, most_bytes, seconds)


def reserve_standard_streams() -> tuple[int, int]:
    """Standard input and output for this program alone; nothing that a library prints gets into the answers."""
    reading, writing = os.dup(0), os.dup(1)
    with open(os.devnull, "r+b", buffering=0) as nowhere:
        for standard in (0, 1):
            os.dup2(nowhere.fileno(), standard)
    if sys.platform == "win32":
        import msvcrt

        for end in (reading, writing):
            msvcrt.setmode(end, os.O_BINARY)
    return reading, writing


def _answer(pipes: "MessagePipes", most_bytes: int, seconds: int) -> None:
    from errors import UserError
    from models.images.decoder import read_picture

    wanted = pipes.receive(lambda _: ())[0]
    data = pipes.receive_bytes(most_bytes)
    _limit_processor(seconds)
    try:
        found = read_picture(data, wanted["page"])
    except UserError as error:
        pipes.send({"error": str(error)})
        return
    said = {"size": list(found.size), "page": found.page, "pages": found.pages, "notes": list(found.notes)}
    pipes.send({"shape": list(found.pixels.shape), **said}, [found.pixels])


def _import_libraries() -> None:
    """Everything that decoding imports, early or late, and without a thread: Landlock holds the thread that calls it, and no other."""
    import cv2
    from PIL import Image

    from models.images.decoder import import_decoders

    cv2.setNumThreads(1)
    Image.init()
    import_decoders()


def _limit_memory() -> None:
    with suppress(ImportError, OSError, ValueError):  # not on every system
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _limit_processor(seconds: int) -> None:
    """From now on. Once this process is filtered, only the one that started it can do this, and does."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        most = int(used.ru_utime + used.ru_stime) + 1 + seconds
        resource.setrlimit(resource.RLIMIT_CPU, (most, resource.RLIM_INFINITY))


def _exit_with(reading: int) -> None:
    """Ends this process as soon as the one that started it is gone, even in the middle of a picture."""
    poll = select.poll()
    poll.register(reading, 0)
    poll.poll()
    os._exit(0)


if __name__ == "__main__":
    main()
