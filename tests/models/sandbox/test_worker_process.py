"""A stranger's model answers from a process of its own as it would from this one; that process reaches nothing and takes nothing along."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from benchmarks.zoo_parts.models import topologies
from errors import UserError
from explainers.classifier_protocol import Classifier as Asked
from models.classifiers import sandboxed_classifier
from models.classifiers.keras_classifier import KerasClassifier
from models.classifiers.sandboxed_classifier import SandboxedClassifier, start_sandboxed_classifier
from models.classifiers.score import Score
from models.loading import load_classifier
from models.sandbox import confinement_trial, landlock, worker_process
from models.sandbox.confinement import SandboxProtection
from models.sandbox.confinement_trial import reason_uploads_are_refused
from models.sandbox.ipc import MessagePipes, ProtocolError, create_pipe_pair
from models.sandbox.sandbox_user import SandboxUser
from models.sandbox.worker_process import WorkerLimits, files_readable_by_worker
from tests.models import hostile_files
from tests.patience import PATIENCE, until

ROOT = Path(__file__).resolve().parents[3]
needs_root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become somebody else")
needs_landlock = pytest.mark.skipif(not landlock.landlock_version(), reason="this kernel has no Landlock")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("model") / "flat.keras"
    topologies.flat().save(file)
    (file.parent / "labels.txt").write_text("a\nb\nc\nd\n")
    return file


@pytest.fixture(scope="module")
def guarded(path: Path) -> Iterator[SandboxedClassifier]:
    made = load_classifier(path, trust=False)
    yield made
    made.close()


@pytest.fixture(scope="module")
def direct(path: Path) -> KerasClassifier:
    return load_classifier(path)


def test_it_answers_as_in_this_process(guarded: SandboxedClassifier, direct: KerasClassifier) -> None:
    assert isinstance(guarded, SandboxedClassifier)
    asked: Asked = guarded
    images = hostile_files.noise((3, 32, 32, 3))
    masks = hostile_files.noise((5, 4, 4))
    for score in (Score(1), Score(2, "probability"), Score(0, "contrast", 3)):
        assert guarded.gradients(images, score) == pytest.approx(direct.gradients(images, score), abs=1e-6)
        for mine, theirs in zip(
            guarded.features(images[0], guarded.layers, score), direct.features(images[0], direct.layers, score), strict=True
        ):
            assert mine.layer == theirs.layer
            assert mine.maps == pytest.approx(theirs.maps, abs=1e-6)
            assert mine.gradients == pytest.approx(theirs.gradients, abs=1e-6)
        assert guarded.values(guarded.outputs(images), score) == pytest.approx(direct.values(direct.outputs(images), score), abs=1e-6)
    assert asked.outputs(images) == pytest.approx(direct.outputs(images), abs=1e-6)
    assert asked.masked(images[0], masks, images[1]) == pytest.approx(direct.masked(images[0], masks, images[1]), abs=1e-6)
    weights = hostile_files.noise((3, 4))
    assert guarded.pullback(images, weights) == pytest.approx(direct.pullback(images, weights), abs=1e-6)
    assert guarded.predict(images[0]) == pytest.approx(direct.predict(images[0]), abs=1e-6)
    assert guarded.outputs(images[:0]).shape == (0, 4)


def test_it_describes_itself_as_in_this_process(guarded: SandboxedClassifier, direct: KerasClassifier) -> None:
    assert replace(guarded.card, notes=()) == replace(direct.card, notes=())
    assert guarded.card.notes[:-1] == direct.card.notes
    assert "process of its own" in guarded.card.notes[-1]
    plain = [(x.name, x.grid, x.channels, x.branch, x.last) for x in guarded.layers]
    assert plain == [(x.name, x.grid, x.channels, x.branch, x.last) for x in direct.layers]
    assert [x.name for x in guarded.default_layers] == [x.name for x in direct.default_layers]
    assert (guarded.forward_only, guarded.logits_from_probabilities) == (direct.forward_only, direct.logits_from_probabilities)
    assert guarded.labels == ("a", "b", "c", "d")
    guarded.outputs(hostile_files.noise((1, 32, 32, 3)))
    assert guarded.traces == 1


def test_weights_drawn_anew_are_the_same_ones(guarded: SandboxedClassifier, direct: KerasClassifier) -> None:
    images = hostile_files.noise((2, 32, 32, 3))
    for depth in ("head", "everything"):
        mine, theirs = guarded.randomised(depth, 3), direct.randomised(depth, 3)
        assert mine.outputs(images) == pytest.approx(theirs.outputs(images), abs=1e-6)
        assert mine.outputs(images) != pytest.approx(guarded.outputs(images), abs=1e-3)


def test_what_is_asked_wrongly_is_refused_here(guarded: SandboxedClassifier) -> None:
    with pytest.raises(UserError, match="takes pictures of"):
        guarded.outputs(hostile_files.noise((1, 31, 32, 3)))
    with pytest.raises(UserError, match="There is no class 9"):
        guarded.gradients(hostile_files.noise((1, 32, 32, 3)), Score(9))
    with pytest.raises(UserError, match="no spatial layer"):
        guarded.features(hostile_files.noise((32, 32, 3)), [], Score(0))


def test_layers_too_large_to_read_are_refused_before_they_are_computed(
    guarded: SandboxedClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = guarded.layers[-1]
    monkeypatch.setattr(sandboxed_classifier, "LAYER_BYTES", 8 * layer.grid[0] * layer.grid[1] * layer.channels)
    image = hostile_files.noise((32, 32, 3))
    assert guarded.features(image, [layer], Score(0))
    with pytest.raises(UserError, match=r"The activations and gradients of .* MB per image; .* Choose a later layer"):
        guarded.features(image, [layer, layer], Score(0))


def test_a_process_that_hangs_or_crashes_is_restarted_a_few_times_an_hour(path: Path, guarded: SandboxedClassifier) -> None:
    """Last of those that use the shared process, for it ends it."""
    images, before = hostile_files.noise((1, 32, 32, 3)), guarded.outputs(hostile_files.noise((1, 32, 32, 3)))
    supervisor, now = guarded._supervisor, [0.0]
    supervisor._clock = lambda: now[0]
    first = supervisor.pid
    supervisor._process.limits = WorkerLimits(answering=1)
    os.kill(first, signal.SIGSTOP)
    with pytest.raises(UserError, match=r"flat\.keras did not answer within 1 s and was stopped"):
        guarded.outputs(images)
    assert gone(first)
    assert guarded.outputs(images) == pytest.approx(before, abs=1e-6)
    os.kill(supervisor.pid, signal.SIGSEGV)
    supervisor._process._process.wait(PATIENCE)
    with pytest.raises(UserError, match=r"flat\.keras ended its own process \(SIGSEGV\).*try again in 5 s"):
        guarded.outputs(images)
    now[0] = 6.0
    assert guarded.outputs(images) == pytest.approx(before, abs=1e-6)
    supervisor._restarts = [1.0, 2.0, 3.0, 4.0]
    supervisor._process.kill()
    supervisor._process._process.wait(PATIENCE)
    with pytest.raises(UserError, match=r"restarted 4 times within an hour; try again in 3595 s"):
        guarded.outputs(images)
    assert gone(supervisor.pid)
    now[0] = 4000.0
    assert guarded.outputs(images) == pytest.approx(before, abs=1e-6)
    guarded.interrupt()
    assert supervisor._process.alive()
    os.kill(supervisor.pid, signal.SIGSTOP)
    counted = list(supervisor._restarts)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(guarded.outputs, images)
        until(supervisor._lock.locked)
        guarded.interrupt()
        with pytest.raises(UserError, match="still busy with what nobody waits for, and was stopped; ask again"):
            waiting.result(PATIENCE)
    assert guarded.outputs(images) == pytest.approx(before, abs=1e-6)
    assert supervisor._restarts == counted
    guarded.close()
    with pytest.raises(UserError, match="It is not started again"):
        guarded.outputs(images)


def needs_49_gigabytes() -> keras.Model:
    grown = [layers.Conv2D(3, 1), layers.UpSampling2D(1000), layers.GlobalAveragePooling2D(), layers.Dense(2, activation="softmax")]
    return keras.Sequential([keras.Input((64, 64, 3)), *grown])


def test_a_model_that_needs_too_much_memory_leaves_none_taken(tmp_path: Path) -> None:
    needs_49_gigabytes().save(tmp_path / "hog.keras")
    hostile_files.huge_kernel(tmp_path / "kernel.keras")
    before = taken()
    begun = [
        start_sandboxed_classifier(tmp_path / name, WorkerLimits(2_000_000_000, PATIENCE, PATIENCE, PATIENCE))
        for name in ("hog.keras", "kernel.keras")
    ]
    for opened in begun:
        with pytest.raises(UserError, match=r"(hog|kernel)\.keras (needs more memory than the 2\.0 GB|ended its own process)"):
            opened()
    assert taken() - before < 50e6
    assert not children()
    assert sorted(os.listdir(tmp_path)) == ["hog.keras", "kernel.keras"]


def test_a_refused_model_costs_no_tensorflow_and_leaves_no_process(tmp_path: Path) -> None:
    path = hostile_files.with_layer(tmp_path / "m.keras", class_name="system", module="os", config={"command": "true"})
    with pytest.raises(UserError, match=r"m\.keras asks for 'system' of the module 'os'"):
        load_classifier(path, trust=False)
    assert not children()


PAYLOADS = {
    "read": "open('/etc/passwd').read()",
    "list": "os.listdir('/')",
    "write": "open(mark, 'w').write('x')",
    "append to a library": "open(os.__file__, 'a')",
    "change a mode": "os.chmod(os.__file__, 0o777)",
    "run": "subprocess.run(['/bin/sh', '-c', 'echo ran > ' + mark], check=True)",
    "fork": "os.fork()",
    "connect": "socket.create_connection(('127.0.0.1', port))",
    "datagram": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', port))",
    "signal": "os.kill(os.getppid(), signal.SIGTERM)",
    "raise a limit": "resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))",
    "the server's connections": "open('/proc/self/net/tcp').read()",
    "the server's connections by a thread": "open(f'/proc/self/task/{os.getpid()}/net/tcp').read()",
    "its descriptors": "os.listdir('/proc/self/fd')",
    "others' memory": "open(f'/proc/{os.getppid()}/environ').read()",
    "others' priority": "os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)",
    "others' processors": "os.sched_setaffinity(os.getppid(), os.sched_getaffinity(0))",
    "others' scheduling": "os.sched_setscheduler(os.getppid(), os.SCHED_BATCH, os.sched_param(0))",
    "others' rank": "os.sched_setparam(os.getppid(), os.sched_param(0))",
    "signals by a file": "fcntl.fcntl(1, fcntl.F_SETOWN, os.getppid())",
    "which signal": "fcntl.fcntl(1, 10, signal.SIGTERM)",
    "signals by a thread's number": "fcntl.fcntl(1, 15, struct.pack('ii', 1, os.getppid()))",
    "signals by a terminal": "fcntl.ioctl(1, 0x8901, struct.pack('i', os.getppid()))",
    "signals by a socket": "fcntl.ioctl(1, 0x8902, struct.pack('i', os.getppid()))",
    "keep others from a file": "fcntl.fcntl(open(os.__file__), fcntl.F_SETLEASE, fcntl.F_RDLCK)",
    "a file's flags": "fcntl.ioctl(open(os.__file__), 0x40086602, struct.pack('l', 0x80))",
    "lock a file": "fcntl.flock(open(os.__file__), fcntl.LOCK_SH)",
    "a socket of no network": "socket.socket(socket.AF_UNIX).connect('\\0abstract')",
    "shared memory": "open('/dev/shm/crosscheck', 'w')",
    "a file in memory": "os.memfd_create('x')",
    "its own priority": "os.setpriority(os.PRIO_PROCESS, 0, -1)",
    "which program runs here": "os.execv('/bin/true', ['true'])",
    "another folder": "os.chdir('/')",
}
SCRIPT = """
import errors, fcntl, os, resource, signal, socket, struct, subprocess, sys, threading
from models.sandbox import confinement
mark, port = sys.argv[1], int(sys.argv[2])
print(confinement.confine_process([]))
for payload in sys.argv[3:]:
    try:
        eval(payload)
        print("RAN")
    except (OSError, ValueError) as error:
        print(type(error).__name__)
os.sched_setaffinity(0, os.sched_getaffinity(0))
os.sched_setaffinity(os.getpid(), os.sched_getaffinity(0))
thread = threading.Thread(target=print, args=("a thread runs",))
thread.start()
thread.join()
"""


@needs_landlock
def test_a_shut_process_reaches_nothing(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        words = [str(tmp_path / "mark"), str(listener.getsockname()[1]), *PAYLOADS.values()]
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, *words], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=True
        )
        with pytest.raises(BlockingIOError):
            listener.accept()
    said = done.stdout.splitlines()
    assert "Landlock" in said[0]
    assert dict(zip(PAYLOADS, said[1:], strict=False)) == dict.fromkeys(PAYLOADS, "PermissionError") | {"raise a limit": "ValueError"}
    assert said[-1] == "a thread runs"
    assert not list(tmp_path.iterdir())


@needs_landlock
def test_every_thread_of_the_process_is_held(path: Path) -> None:
    """Whatever libraries began threads, and whenever: one that is not held could do what all others cannot."""
    served = load_classifier(path, trust=False)
    try:
        served.outputs(np.zeros((1, *served.size, 3), np.float32))
        tasks = list(Path(f"/proc/{served._supervisor.pid}/task").iterdir())
        assert len(tasks) > 1
        for task in tasks:
            said = dict(line.split(":\t") for line in (task / "status").read_text().splitlines() if ":\t" in line)
            assert (said["Seccomp"], said["NoNewPrivs"]) == ("2", "1"), said["Name"]
            assert {said[name] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {"0" * 16}, said["Name"]
            assert os.getuid() or said["CapBnd"] == "0" * 16
    finally:
        served.close()


@needs_root
def test_the_process_of_an_uploaded_model_is_another_users_where_this_is_roots(path: Path) -> None:
    user = SandboxUser.of("nobody")
    assert user is not None
    assert not reason_uploads_are_refused(user)
    assert "no other user is named" in reason_uploads_are_refused(None)
    served = load_classifier(path, trust=False, limits=WorkerLimits(nicer=7, user=user))
    try:
        served.outputs(np.zeros((1, *served.size, 3), np.float32))
        for task in Path(f"/proc/{served.pid}/task").iterdir():
            said = dict(line.split(":\t") for line in (task / "status").read_text().splitlines() if ":\t" in line)
            assert (said["Uid"], said["Gid"]) == ("\t".join(["65534"] * 4),) * 2, said["Name"]
            assert said["CapBnd"] == "0" * 16
            assert not int(said["CapPrm"], 16) & ~(1 << 2)  # to read Python itself, where that lies in root's home
        assert os.getpriority(os.PRIO_PROCESS, served.pid) == os.getpriority(os.PRIO_PROCESS, 0) + 7
        limits = {line[:25].strip(): line[25:].split()[0] for line in Path(f"/proc/{served.pid}/limits").read_text().splitlines()[1:]}
        assert int(limits["Max address space"]) < 20e9
        assert int(limits["Max cpu time"]) < 1000
    finally:
        served.close()


@needs_root
@pytest.mark.parametrize(("name", "words"), [("no-such-user", "There is no user 'no-such-user'"), ("root", "root is root")])
def test_a_user_that_is_none_is_refused(name: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        SandboxUser.of(name)


@needs_root
def test_a_process_that_cannot_be_limited_opens_no_model(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_process, "change_process_limit", refuse)
    with pytest.raises(UserError, match=r"flat\.keras was stopped, because its process could not be limited"):
        load_classifier(path, trust=False, limits=WorkerLimits(user=SandboxUser.of("nobody")))


def refuse(*_: object) -> None:
    raise PermissionError


def test_links_beside_a_model_open_nothing_else(tmp_path: Path) -> None:
    model = tmp_path / "x.h5"
    model.write_bytes(b"")
    (tmp_path / "labels.txt").symlink_to("/home")
    (tmp_path / "model.json").symlink_to("/etc/passwd")
    (tmp_path / "architecture.json").symlink_to("architecture.json")
    os.mkfifo(tmp_path / "x.json")
    assert files_readable_by_worker(model) == [model]
    (tmp_path / "labels.txt").unlink()
    (tmp_path / "labels.txt").symlink_to("classes.txt")
    (tmp_path / "classes.txt").write_text("a\nb\n")
    assert files_readable_by_worker(model) == [model, tmp_path / "classes.txt"]


@needs_landlock
def test_a_model_in_the_folders_of_the_hubs_cache_has_its_labels(tmp_path: Path, path: Path) -> None:
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots" / "0123"
    for folder in (blobs, snapshot):
        folder.mkdir(parents=True)
    for file in (path, path.parent / "labels.txt"):
        shutil.copy(file, blobs / f"of-{file.name}")
        (snapshot / file.name).symlink_to(f"../../blobs/of-{file.name}")
    served = load_classifier(snapshot / path.name, trust=False)
    served.close()
    assert served.labels == ("a", "b", "c", "d")
    (blobs / "of-labels.txt").unlink()
    (blobs / "of-labels.txt").symlink_to("/etc/passwd")
    assert len(files_readable_by_worker(snapshot / path.name)) == 1


@needs_landlock
def test_a_path_that_cannot_be_opened_does_not_leave_a_process_open(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").write_bytes(b"")
    unreadable = [tmp_path / "loop", tmp_path / "file" / "beneath", tmp_path / "missing"]
    script = "import sys, os; from pathlib import Path; from models.sandbox.confinement import confine_process\n"
    script += "print(confine_process(map(Path, sys.argv[1:])))\n"
    script += "try: print(os.listdir('/'))\nexcept PermissionError: print('refused')"
    done = subprocess.run([sys.executable, "-c", script, *map(str, unreadable)], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert "Landlock" in done.stdout, done.stderr
    assert done.stdout.endswith("refused\n")


@needs_landlock
def test_where_landlock_cannot_be_applied_the_process_says_so_and_no_upload_is_taken() -> None:
    """The kernel refuses the seventeenth layer."""
    script = """
import sys
from pathlib import Path
from models.sandbox import confinement_trial, landlock
for _ in range(16):
    landlock.apply_landlock([Path("/")])
sys.argv = ["trial", ""]
confinement_trial.main()
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, stdin=subprocess.DEVNULL, text=True, timeout=PATIENCE
    )
    assert json.loads(done.stdout) == {"landlock": 0, "filtered": True}, done.stderr
    assert confinement_trial._judged(done.stdout.encode(), True, None).startswith(
        "This system does not apply Landlock, so nothing would keep a"
    )
    assert "can read files: Landlock does not hold it" in str(SandboxProtection(0, True))


@pytest.mark.parametrize(
    ("answer", "governed", "words"),
    [
        (b"", True, "it ended before it said why"),
        (b"[]", True, "it ended before it said why"),
        (b'{"error": "No."}', True, "No."),
        (b'{"landlock": 0, "filtered": false}', True, "does not apply Landlock and seccomp"),
        (b'{"landlock": 7, "filtered": true}', False, "can be neither limited nor ended here"),
    ],
)
def test_what_keeps_uploads_off_is_said_in_a_sentence(answer: bytes, governed: bool, words: str) -> None:
    assert words in confinement_trial._judged(answer, governed, SandboxUser("nobody", 65534, 65534))
    assert not confinement_trial._judged(b'{"landlock": 7, "filtered": true}', True, None)


def test_no_library_that_begins_threads_is_there_before_the_process_is_shut() -> None:
    """A thread begun before would keep all its files to itself: Landlock holds the calling thread and what that begins."""
    script = """
import os, sys
from models import worker
def confine_process(files, user):
    print(len(os.listdir("/proc/self/task")), *({"numpy", "h5py", "tensorflow", "keras"} & set(sys.modules)))
    sys.exit()
worker.confine_process = confine_process
sys.argv = ["worker", "0", "1", "0", "", "m.keras"]
worker.main()
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert done.stdout == "1\n", done.stderr


def test_a_process_with_threads_is_not_called_shut() -> None:
    script = "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    script += "from models.sandbox.confinement import confine_process; confine_process([])"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 1
    assert "2 threads run already" in done.stderr


def test_numbers_cross_the_border_and_nothing_that_was_not_agreed() -> None:
    here, there = (MessagePipes(*ends) for ends in create_pipe_pair())
    sent = [hostile_files.noise((2, 3)), np.array([[0.1]]), np.zeros((0, 4), np.float32)]
    here.send({"a": 1}, sent)
    head, arrays = there.receive(lambda head: [(2, 3), (1, 1), (0, 4)], time.monotonic() + PATIENCE)
    assert head == {"a": 1}
    assert [array.dtype for array in arrays] == [np.float32, np.float64, np.float32]
    assert all(np.array_equal(mine, theirs) for mine, theirs in zip(sent, arrays, strict=True))
    here.send({}, [hostile_files.noise((3, 2))])
    with pytest.raises(ProtocolError, match="arrays of"):
        there.receive(lambda head: [(2, 3)], time.monotonic() + PATIENCE)
    with pytest.raises(TimeoutError):
        here.receive(lambda head: [], time.monotonic() + 0.05)
    os.write(there.writing, (10**12).to_bytes(8, "little"))
    with pytest.raises(ProtocolError, match="a head of 1000000000000 bytes"):
        here.receive(lambda head: [], time.monotonic() + PATIENCE)
    there.close()
    with pytest.raises(EOFError):
        here.receive(lambda head: [], time.monotonic() + PATIENCE)
    here.close()


def taken() -> int:
    """Bytes of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def gone(process: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, 0)
        return False
    return True


def children() -> list[int]:
    """Processes with a stranger's model that this one began and that are still there, but for the shared one."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            mine = f"\nPPid:\t{os.getpid()}\n" in (each / "status").read_text()
            if mine and b"models.worker" in (each / "cmdline").read_bytes():
                found.append(int(each.name))
    return found
