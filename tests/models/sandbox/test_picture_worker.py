"""Visitors' pictures are decoded in confined processes: the same pixels and sentences, nothing else, and a crash costs one picture."""

import ast
import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from errors import UserError
from models.images import decoder
from models.images.decoder import decode_picture, read_picture
from models.sandbox import landlock, picture_decoder, picture_worker, seccomp
from models.sandbox.ipc import MessagePipes, ProtocolError, create_pipe_pair
from models.sandbox.picture_decoder import DecoderExited, DecoderLimits, DecoderProcess, PictureDecoder, receive_decoded_picture
from tests.models.dicom_files import (
    DICOM_JPEG,
    DICOM_JPEG_2000,
    DICOM_PALETTE,
    DICOM_RUN_LENGTHS,
    HOSTILE_DICOM,
    WINDOW,
    deflated,
    dicom,
)
from tests.models.picture_files import NOISE, RNG, bomb, filtered_png, png, raw_png, saved, tiff
from tests.patience import PATIENCE, until

ROOT = Path(__file__).resolve().parents[3]
LIMITS = DecoderLimits(starting=PATIENCE, decoding=PATIENCE, waiting=PATIENCE, free_restarts=100)
linux = pytest.mark.skipif(sys.platform != "linux", reason="what a process may do is looked up in Linux' /proc")
confined = pytest.mark.skipif(
    not (landlock.landlock_version() and seccomp.is_seccomp_available()), reason="this system has no Landlock or no seccomp"
)

IMAGE = Image.fromarray(NOISE)
LARGE = np.repeat(np.repeat(NOISE, 120, 0), 100, 1)


def profile(kind: str) -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(kind)).tobytes()  # type: ignore[arg-type]


PICTURES = {
    "jpeg": saved(IMAGE, "JPEG", quality=90),
    "jpeg progressive": saved(IMAGE, "JPEG", progressive=True),
    "jpeg cmyk": saved(IMAGE.convert("CMYK"), "JPEG"),
    "jpeg large": saved(Image.fromarray(LARGE), "JPEG"),
    "jpeg with a profile": saved(IMAGE, "JPEG", icc_profile=profile("sRGB")),
    "tiff with a profile of other colours": saved(IMAGE, "TIFF", icc_profile=profile("LAB")),
    "mpo": saved(IMAGE, "MPO", save_all=True, append_images=[IMAGE]),
    "png": png(NOISE),
    "png palette": saved(IMAGE.convert("P"), "PNG", transparency=3),
    "png alpha": saved(IMAGE.convert("RGBA"), "PNG"),
    "png 16 grey": saved(Image.fromarray(RNG.integers(0, 65_536, (20, 30)).astype(np.uint16)), "PNG"),
    "png 16 colour": filtered_png(RNG.integers(0, 256, (20, 180), np.uint8), 16, 2),
    "png large": png(LARGE),
    "webp": saved(IMAGE, "WEBP"),
    "webp large": saved(Image.fromarray(LARGE), "WEBP", lossless=True, quality=0, method=0),
    "webp animated": saved(IMAGE, "WEBP", save_all=True, append_images=[IMAGE.rotate(180)]),
    "bmp": saved(IMAGE, "BMP"),
    "tiff": saved(IMAGE, "TIFF"),
    "tiff lzw": saved(IMAGE, "TIFF", compression="tiff_lzw"),
    "tiff jpeg": saved(IMAGE, "TIFF", compression="jpeg"),
    "tiff deflate": saved(IMAGE, "TIFF", compression="tiff_adobe_deflate"),
    "tiff float": saved(Image.fromarray(RNG.random((20, 30)).astype(np.float32)), "TIFF"),
    "gif": saved(IMAGE, "GIF"),
    "gif animated": saved(IMAGE, "GIF", save_all=True, append_images=[IMAGE.rotate(180)]),
    "avif": saved(IMAGE, "AVIF"),
    "tiff 16 planes": tiff(RNG.integers(0, 65_536, (3, 20, 30)).astype(np.uint16), photometric="rgb", planarconfig="separate"),
    "tiff float colour": tiff(RNG.random((20, 30, 3)).astype(np.float32), photometric="rgb"),
    "tiff pages": tiff(RNG.integers(0, 4096, (3, 20, 30)).astype(np.uint16), photometric="minisblack"),
    "dicom": dicom(RNG.integers(0, 4096, (20, 30)).astype(np.uint16), WINDOW),
    "dicom run lengths": DICOM_RUN_LENGTHS,
    "dicom jpeg": DICOM_JPEG,
    "dicom jpeg 2000": DICOM_JPEG_2000,
    "dicom palette": DICOM_PALETTE,
    "dicom deflated": deflated(dicom(RNG.integers(0, 256, (20, 30)).astype(np.uint8))),
    **{name: bomb(name) for name in ("png 8", "gif", "tiff grey")},
}
REFUSED = {
    "empty": b"",
    "a web page": b"<!doctype html><title>404</title>",
    "a pdf": b"%PDF-1.7",
    "a zip": b"PK\x03\x04" + bytes(40),
    "heic": b"\0\0\0\x18ftypheic" + bytes(40),
    "noise": RNG.bytes(5000),
    "cut short": PICTURES["jpeg"][:300],
    "too small": png(np.zeros((4, 100, 3), np.uint8)),
    "3600 megapixels": raw_png(np.zeros((1, 1), np.uint8), 8, 0, size=(60_000, 60_000)),
    "many scans": saved(IMAGE, "JPEG", progressive=True)[:-2] + b"\xff\xda\0\x08\x01\x01\0\0\x3f\0" * 300 + b"\xff\xd9",
    "not a number": saved(Image.fromarray(np.full((20, 30), np.nan, np.float32)), "TIFF"),
    **HOSTILE_DICOM,
    "101 MB": bytes(101_000_000),
    **{name: bomb(name) for name in ("png interlaced", "webp", "tiff", "bmp", "jpeg progressive")},
}

ANSWERS = """
import sys
import numpy as np
from models.sandbox.ipc import MessagePipes
from models.sandbox.picture_worker import reserve_standard_streams
pipes = MessagePipes(*reserve_standard_streams())
pipes.send({"landlock": 0, "filtered": False})
while True:
    pipes.receive(lambda _: ())
    data = pipes.receive_bytes(1_000_000)
    exec(data)
"""
"""A worker that does what a picture says, as one that was taken over would."""


@pytest.fixture(scope="module")
def pool() -> Iterator[PictureDecoder]:
    made = PictureDecoder(limits=LIMITS)
    made.start()
    yield made
    made.close()


@pytest.fixture
def taken_over() -> Iterator[PictureDecoder]:
    made = PictureDecoder(1, LIMITS, ("-c", ANSWERS))
    yield made
    made.close()


@pytest.mark.parametrize("name", PICTURES)
def test_pixels_are_those_of_this_process(name: str, pool: PictureDecoder) -> None:
    found = pool.decode(PICTURES[name])
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, decode_picture(PICTURES[name]))


def test_every_format_is_among_them() -> None:
    files = {name: data for name, data in PICTURES.items() if not name.endswith("large") and not name.startswith(("dicom", "tiff float"))}
    kinds = {Image.open(io.BytesIO(data)).format for data in files.values()}
    assert {*decoder.FORMATS, "MPO"} <= kinds


def test_pages_and_notes_are_those_of_this_process(pool: PictureDecoder) -> None:
    for name, page in (("tiff pages", 2), ("tiff pages", 3), ("gif animated", 2), ("dicom", 1)):
        here, there = read_picture(PICTURES[name], page), pool.read(PICTURES[name], page)
        np.testing.assert_array_equal(there.pixels, here.pixels)
        assert (there.size, there.page, there.pages, there.notes) == (here.size, page, here.pages, here.notes)
        assert there.notes
    with pytest.raises(UserError, match="has 3 pages and no page 4; choose one from 1 to 3"):
        pool.read(PICTURES["tiff pages"], 4)


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_come_in_the_same_words(name: str, pool: PictureDecoder) -> None:
    with pytest.raises(UserError) as here:
        decode_picture(REFUSED[name])
    with pytest.raises(UserError) as there:
        pool.decode(REFUSED[name])
    assert str(there.value) == str(here.value)
    assert not isinstance(there.value, DecoderExited)


def test_pictures_share_a_process_that_is_started_once(pool: PictureDecoder) -> None:
    first = pool.pids
    for _ in range(5):
        pool.decode(PICTURES["png"])
    assert pool.pids == first
    assert len(first) == 1


def test_many_threads_get_their_own_pictures(pool: PictureDecoder) -> None:
    drawn = [RNG.integers(0, 256, (40 + number, 30, 3), np.uint8) for number in range(60)]
    with ThreadPoolExecutor(12) as threads:
        for values, found in zip(drawn, threads.map(pool.decode, map(png, drawn)), strict=True):
            np.testing.assert_array_equal(found, values.astype(np.float32) / 255)
    assert len(pool.pids) <= picture_decoder.PROCESSES


@linux
@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGSEGV, signal.SIGXCPU])
def test_a_process_that_ends_over_a_picture_costs_that_picture_alone(sign: signal.Signals) -> None:
    pool = PictureDecoder(1, LIMITS)
    pool.decode(PICTURES["png"])
    (pid,) = pool.pids
    os.kill(pid, signal.SIGSTOP)  # so that it holds a picture when it is ended
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(pool.decode, PICTURES["png"])
        until(lambda: pool._busy)
        os.kill(pid, sign)
        os.kill(pid, signal.SIGCONT)
        with pytest.raises(DecoderExited, match=r"The picture was not decoded: .*save it again"):
            waiting.result(PATIENCE)
    np.testing.assert_array_equal(pool.decode(PICTURES["png"]), decode_picture(PICTURES["png"]))
    assert pool.pids != [pid]
    pool.close()
    assert not alive(pid)


@linux
def test_a_process_that_ended_between_two_pictures_costs_none() -> None:
    pool = PictureDecoder(1, LIMITS)
    pool.decode(PICTURES["png"])
    os.kill(pool.pids[0], signal.SIGKILL)
    until(lambda: not pool._idle[0].usable)
    np.testing.assert_array_equal(pool.decode(PICTURES["png"]), decode_picture(PICTURES["png"]))
    pool.close()


def test_a_picture_that_takes_too_long_is_given_up() -> None:
    pool = PictureDecoder(1, DecoderLimits(starting=PATIENCE, decoding=0.01))
    with pytest.raises(DecoderExited, match=r"took longer than 0\.01 s to decode and was given up; save it again"):
        pool.decode(bomb("png 16"))
    assert not pool.pids


@linux
def test_a_picture_that_takes_too_much_of_the_processor_is_given_up() -> None:
    pool = PictureDecoder(1, DecoderLimits(starting=PATIENCE, decoding=PATIENCE, processor=1), ("-c", ANSWERS))
    with pytest.raises(DecoderExited, match="took more than 1 s of the processor's time"):
        pool.decode(b"while True: pass")
    pool.close()


@linux
def test_memory_has_a_limit_and_the_next_picture_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """With less memory than a picture takes: a sentence, whether the process lives on or not."""
    small = "import sys; sys.argv[0] = ''\nfrom models.sandbox import picture_worker\n"
    small += "picture_worker.MEMORY = 470_000_000\npicture_worker.main()"
    pool = PictureDecoder(1, LIMITS, ("-c", small))
    np.testing.assert_array_equal(pool.decode(PICTURES["png"]), decode_picture(PICTURES["png"]))
    with pytest.raises(UserError, match=r"needs more memory|was not decoded|cannot be decoded"):
        pool.decode(saved(Image.new("RGB", (5000, 4900), "red"), "TIFF", compression="tiff_lzw"))
    np.testing.assert_array_equal(pool.decode(PICTURES["png"]), decode_picture(PICTURES["png"]))
    pool.close()


@linux
def test_limits_hold_before_the_first_picture(pool: PictureDecoder) -> None:
    pool.decode(PICTURES["png"])
    lines = Path(f"/proc/{pool.pids[0]}/limits").read_text().splitlines()[1:]
    found = {line[:25].strip(): line[25:].split()[:2] for line in lines}
    assert found["Max address space"] == [str(picture_worker.MEMORY)] * 2
    assert found["Max file size"] == ["0", "0"]
    assert found["Max core file size"] == ["0", "0"]
    assert 1 <= int(found["Max cpu time"][0]) <= 2 * picture_worker.STARTING_CPU


RIGHT = 'pipes.send({"shape": [9, 9, 3], "size": [9, 9], "page": 1, "pages": 1, "notes": []}, [np.full((9, 9, 3), 0.5, "f4")])'
WRONG = {
    "no picture": 'pipes.send({"hello": 1})',
    "no shape": "pipes.send({}, [np.zeros((9, 9, 3))])",
    "two pictures": 'pipes.send({"shape": [9, 9, 3]}, [np.zeros((9, 9, 3), "f4")] * 2)',
    "another shape than it says": 'pipes.send({"shape": [9, 9, 3]}, [np.zeros((9, 8, 3), "f4")])',
    "four colours": 'pipes.send({"shape": [9, 9, 4]}, [np.zeros((9, 9, 4), "f4")])',
    "no colours": 'pipes.send({"shape": [9, 9]}, [np.zeros((9, 9), "f4")])',
    "larger than a picture is": 'pipes.send({"shape": [2049, 9, 3]}, [np.zeros((2049, 9, 3), "f4")])',
    "a terabyte": 'pipes.send({"shape": [10**6, 10**6, 3]})',
    "nothing": 'pipes.send({"shape": [0, 9, 3]}, [np.zeros((0, 9, 3), "f4")])',
    "a side that is true": 'pipes.send({"shape": [True, 9, 3]}, [np.zeros((1, 9, 3), "f4")])',
    "float64": 'pipes.send({"shape": [9, 9, 3]}, [np.zeros((9, 9, 3), "f8")])',
    "above white": 'pipes.send({"shape": [9, 9, 3]}, [np.full((9, 9, 3), 1.01, "f4")])',
    "below black": 'pipes.send({"shape": [9, 9, 3]}, [np.full((9, 9, 3), -0.01, "f4")])',
    "not a number": 'pipes.send({"shape": [9, 9, 3]}, [np.full((9, 9, 3), np.nan, "f4")])',
    "infinite": 'pipes.send({"shape": [9, 9, 3]}, [np.full((9, 9, 3), np.inf, "f4")])',
    "no size": 'pipes.send({"shape": [9, 9, 3], "page": 1, "pages": 1, "notes": []}, [np.zeros((9, 9, 3), "f4")])',
    "a page behind the last": RIGHT.replace('"page": 1', '"page": 2'),
    "a page that is no number": RIGHT.replace('"page": 1', '"page": "1"'),
    "notes that are no list": RIGHT.replace('"notes": []', '"notes": "x"'),
    "too many notes": RIGHT.replace('"notes": []', '"notes": [""] * 11'),
    "a pickled object": "import os, pickle; os.write(pipes.writing, pickle.dumps(print))",
    "a long head": 'import os; os.write(pipes.writing, (10**12).to_bytes(8, "little"))',
    "a list": 'import os; os.write(pipes.writing, (2).to_bytes(8, "little") + b"[]")',
}


@pytest.mark.parametrize("what", WRONG)
def test_nothing_but_pixels_is_accepted(what: str, taken_over: PictureDecoder) -> None:
    with pytest.raises(DecoderExited, match="answered with what is no picture"):
        taken_over.decode(WRONG[what].encode())
    assert not taken_over.pids
    np.testing.assert_array_equal(taken_over.decode(RIGHT.encode()), np.full((9, 9, 3), 0.5, np.float32))


def test_a_sentence_is_cut_and_made_printable(taken_over: PictureDecoder) -> None:
    with pytest.raises(UserError) as refused:
        taken_over.decode(b'pipes.send({"error": "\\x1b[31m" + "x" * 10_000})')
    assert str(refused.value).startswith("?[31mxxx")
    assert len(str(refused.value)) == picture_decoder.LONGEST_SENTENCE


def test_notes_are_cut_and_made_printable(taken_over: PictureDecoder) -> None:
    said = RIGHT.replace('"notes": []', '"notes": ["\\x1b[31m" + "x" * 10_000, 7]')
    long, number = taken_over.read(said.encode()).notes
    assert long.startswith("?[31mxxx")
    assert len(long) == picture_decoder.LONGEST_SENTENCE
    assert number == "7"


def test_a_picture_half_sent_is_awaited_no_longer_than_the_deadline() -> None:
    (reading, writing), theirs = create_pipe_pair()
    here, there = MessagePipes(reading, writing), MessagePipes(*theirs)
    os.write(there.writing, (5).to_bytes(8, "little") + b"{")
    with pytest.raises(TimeoutError):
        receive_decoded_picture(here, time.monotonic() + 0.05)
    here.close()
    there.close()


def test_bytes_are_announced_before_they_are_taken() -> None:
    (reading, writing), theirs = create_pipe_pair()
    here, there = MessagePipes(reading, writing), MessagePipes(*theirs)
    here.send_bytes(b"abc")
    assert there.receive_bytes(3) == b"abc"
    here.send_bytes(b"abcd")
    with pytest.raises(ProtocolError, match="4 bytes"):
        there.receive_bytes(3)
    here.close()
    there.close()


TRIES = """
import ctypes, errno, json, os, socket, subprocess, sys, threading
from pathlib import Path
from models.sandbox import picture_worker
import models.images.decoder as decoder
import numpy as np

def tried():
    found = {}
    attempts = {
        "read a file": lambda: open("/etc/passwd").read(),
        "read the program": lambda: open("app/explanation.py").read(),
        "list a folder": lambda: os.listdir("/"),
        "read its environment": lambda: open("/proc/self/environ").read(),
        "write a file": lambda: open("/tmp/crosscheck-picture", "w"),
        "connect": lambda: socket.create_connection(("127.0.0.1", 9), 1),
        "open a socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "open a local socket": lambda: socket.socketpair(),
        "start a program": lambda: subprocess.run(["/bin/true"]),
        "fork": os.fork,
        "signal": lambda: os.kill(os.getppid(), 0),
        "lift its limits": lambda: __import__("resource").setrlimit(__import__("resource").RLIMIT_CPU, (-1, -1)),
    }
    for name, attempt in attempts.items():
        try:
            attempt()
            found[name] = "done"
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            found[name] = "refused"
    return found

import resource, subprocess, encodings.idna
def read_picture(data, page):
    from errors import UserError
    raise UserError(json.dumps([len(os.listdir("/proc/self/task"))] if data == b"threads" else tried()))
decoder.read_picture = read_picture
picture_worker.main()
"""


@confined
def test_the_process_reads_no_file_and_reaches_nothing() -> None:
    pool = PictureDecoder(1, LIMITS, ("-c", TRIES))
    with pytest.raises(UserError) as answered:
        pool.decode(b"tries")
    found: dict[str, Any] = ast.literal_eval(str(answered.value))
    assert set(found.values()) == {"refused"}, found
    assert len(found) == 12
    assert pool._idle[0].protection is not None
    assert pool._idle[0].protection.whole
    pool.close()


@linux
def test_importing_the_libraries_leaves_no_thread() -> None:
    """Landlock would not hold it."""
    count = (
        "from models.sandbox.picture_worker import _import_libraries as load; import os; load(); print(len(os.listdir('/proc/self/task')))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", count], cwd=ROOT, env=picture_decoder._environment(), capture_output=True, text=True, check=True
    )
    assert printed.stdout.strip() == "1"


@linux
def test_the_process_ends_with_its_parent() -> None:
    program = "import sys, time; from models.sandbox.picture_decoder import decode_picture_confined, shared_picture_decoder\n"
    program += f"decode_picture_confined({PICTURES['png']!r}); print(*shared_picture_decoder().pids, flush=True); time.sleep({PATIENCE})"
    parent = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert alive(pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until(lambda: not alive(pid))


def test_crashes_are_counted_and_the_next_start_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(picture_decoder, "sleep", waited.append)
    pool = PictureDecoder(
        1, DecoderLimits(starting=PATIENCE, decoding=PATIENCE, free_restarts=1, restarts=5, longest_pause=0.5), ("-c", ANSWERS)
    )
    for _ in range(5):
        with pytest.raises(DecoderExited, match=r"its decoder ended \(status 1\)"):
            pool.decode(b"sys.exit(1)")
    assert len(waited) == 3
    assert waited == sorted(waited)
    assert max(waited) <= 0.5
    with pytest.raises(UserError, match="ended 5 times within an hour, so it is not started for now"):
        pool.decode(b"sys.exit(1)")
    pool._crashes = type(pool._crashes)(at - 3600 for at in pool._crashes)
    with pytest.raises(DecoderExited):
        pool.decode(b"sys.exit(1)")


def test_a_picture_waits_for_a_free_process_only_so_long() -> None:
    pool = PictureDecoder(1, DecoderLimits(starting=PATIENCE, decoding=PATIENCE, waiting=0.05), ("-c", ANSWERS))
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(pool.decode, b"import time; time.sleep(1000)")
        until(lambda: any(isinstance(each, DecoderProcess) for each in pool._busy))
        with pytest.raises(UserError, match="Many pictures wait to be decoded already"):
            pool.decode(b"")
        pool.close()
        with pytest.raises(UserError, match="was not decoded"):
            slow.result(PATIENCE)
    assert not pool.pids


def test_a_process_is_replaced_after_so_many_pictures() -> None:
    pool = PictureDecoder(1, DecoderLimits(starting=PATIENCE, decoding=PATIENCE, pictures=2))
    found = []
    for _ in range(4):
        pool.decode(PICTURES["png"])
        found.append(pool.pids)
    assert not found[1]
    assert not found[3]
    assert found[0] != found[2]
    pool.close()


def test_a_new_picture_never_gets_an_older_one_s_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = PictureDecoder(1, LIMITS)
    first, second = png(NOISE), png(NOISE[:10])
    pool.decode(first)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(picture_decoder, "receive_decoded_picture", interrupted)
        with pytest.raises(KeyboardInterrupt):
            pool.decode(first)
    np.testing.assert_array_equal(pool.decode(second), decode_picture(second))
    pool.close()


@linux
def test_without_poll_a_process_remains_and_the_deadline_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows, where pipes cannot be polled, nor read into a place."""
    monkeypatch.delattr("select.poll")
    monkeypatch.delattr("os.readv")
    program = "import os, select; del select.poll, os.readv\nfrom models.sandbox import picture_worker; picture_worker.main()"
    pool = PictureDecoder(1, LIMITS, ("-c", program))
    for name in ("png", "jpeg large"):
        np.testing.assert_array_equal(pool.decode(PICTURES[name]), decode_picture(PICTURES[name]))
    pool.close()
    hanging = PictureDecoder(1, DecoderLimits(starting=1, decoding=0.5), ("-c", "import time; time.sleep(1000)"))
    with pytest.raises(DecoderExited, match=r"took longer than 0\.5 s to decode and was given up"):
        hanging.decode(PICTURES["png"])
    assert not hanging.pids


def alive(pid: int) -> bool:
    """Whether that process runs; one that has ended and is not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_threads_of_this_test_are_gone() -> None:
    assert not [thread for thread in threading.enumerate() if "ThreadPool" in thread.name]
