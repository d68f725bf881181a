"""Thousands of hostile files: none crashes a preparation, hangs it, or gets away without its reason."""

import errno
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hostile.pictures import encoded, picture

from hostile import KEPT, Expectation, make_archives, make_corpus, samples
from impasto.data import layout
from impasto.data.config import DataConfig
from impasto.data.prepare import prepare
from impasto.data.prepared import Prepared
from impasto.errors import SourceError

SEED = 1
SMALL = DataConfig(size=8)
MOST_MEMORY = 1.5e9  # bytes for one worker

PREPARED = """
import os, resource, signal, sys
from impasto.data.config import DataConfig
from impasto.data.prepare import prepare
from impasto.errors import SourceError

source, target, workers, last, largest = sys.argv[1:]
if largest != "none":
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(largest), int(largest)))

def report(done, total):
    if last != "none" and done >= int(last):
        os.kill(os.getpid(), signal.SIGKILL)

try:
    prepare(source, DataConfig(size=8), target, workers=int(workers), report=report)
except SourceError as error:
    sys.exit(str(error))
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def prepared_apart(
    source: Path,
    target: Path,
    *,
    workers: int = 2,
    last: int | None = None,
    largest: int | None = None,
) -> subprocess.CompletedProcess[str]:
    """A preparation in a process of its own, in an empty folder, killed after `last` candidates."""
    home, temporary = target.parent / "home", target.parent / "temporary"
    home.mkdir(exist_ok=True)
    temporary.mkdir(exist_ok=True)
    told = ("none" if number is None else str(number) for number in (last, largest))
    return subprocess.run(
        [sys.executable, "-c", PREPARED, str(source), str(target), str(workers), *told],
        capture_output=True,
        text=True,
        cwd=home,
        env={**os.environ, "HOME": str(home), "TMPDIR": str(temporary)},
    )


def content(home: Path) -> dict[str, bytes]:
    """Everything in a set that must not depend on how it was made."""
    names = [*layout.Shape(1, 1).arrays(), "pixels.npy", layout.ROWS, layout.FACTS]
    return {name: (home / name).read_bytes() for name in names}


def rows_of(home: Path) -> list[tuple[str, str]]:
    """Name and end of each candidate."""
    return [(row["name"], row["reason"] or KEPT) for row in layout.read_rows(home / layout.ROWS)]


def everything_below(root: Path, *but: Path) -> dict[str, tuple[int, ...]]:
    """All files and folders, with what changes when somebody writes."""
    found = {}
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if Path(folder, name) not in but]
        for path in (Path(folder), *(Path(folder, name) for name in files)):
            facts = path.lstat()
            found[str(path)] = (facts.st_mode, facts.st_size, facts.st_mtime_ns, facts.st_nlink)
    return found


@dataclass(frozen=True)
class Corpus:
    root: Path
    expected: dict[str, Expectation]
    set: Path
    stdout: str
    stderr: str
    before: dict[str, tuple[int, ...]]
    after: dict[str, tuple[int, ...]]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Corpus]:
    """The whole corpus, prepared once by two workers."""
    place = tmp_path_factory.mktemp("hostile")
    root, target, temporary = place / "corpus", place / "set", place / "temporary"
    expected = make_corpus(root, SEED)
    (place / "home").mkdir()
    before = everything_below(place, target, temporary)
    run = prepared_apart(root, target)
    after = everything_below(place, target, temporary) | {str(place): before[str(place)]}
    assert list(temporary.iterdir()) == []
    yield Corpus(root, expected, target, run.stdout, run.stderr, before, after)
    (root / "special" / "closed").chmod(0o700)
    shutil.rmtree(place)


def test_the_corpus_is_large_and_the_same_for_the_same_seed(corpus):
    counts = Counter(what.group for what in corpus.expected.values())
    assert counts.total() >= 3000
    assert all(
        counts[group] >= least
        for group, least in {
            "odd": 800, "damaged": 1000, "headers": 390, "bombs": 110, "strange": 340, "names": 110,
            "folders": 100, "links": 28, "special": 8,
        }.items()
    )  # fmt: skip
    groups = ("odd", "damaged", "headers", "strange")
    again = {f"{group}/{sample.name}": sample.data for group, sample in samples(SEED, *groups)}
    assert len(again) == sum(counts[group] for group in groups)
    told_the_time = {"odd/animated.avif"}  # its encoder writes it down
    changed = {name for name, data in again.items() if (corpus.root / name).read_bytes() != data}
    assert changed <= told_the_time


def test_each_file_is_listed_once_with_a_reason_that_fits(corpus):
    listed = rows_of(corpus.set)
    ends = dict(listed)
    assert len(ends) == len(listed)
    assert set(ends) == {name for name, what in corpus.expected.items() if what.ends}
    wrong = {name: end for name, end in listed if end not in corpus.expected[name].ends}
    assert wrong == {}
    made = Prepared.open(corpus.set)
    assert (made.found, made.kept) == (len(ends), Counter(ends.values())[KEPT])


def test_names_and_reasons_print_on_one_line(corpus):
    rejects = list(Prepared.open(corpus.set).rejects())
    assert len(rejects) > 1000
    assert [(name, str(reason)) for name, reason in rejects if not name.isprintable()] == []
    assert [str(reason) for _, reason in rejects if not str(reason).isprintable()] == []
    assert all(reason.detail for _, reason in rejects)


def test_nothing_outside_the_set_is_touched(corpus):
    assert corpus.after == corpus.before
    assert corpus.stderr == ""


def test_workers_need_bounded_memory(corpus):
    assert int(corpus.stdout) * 1024 < MOST_MEMORY  # macOS counts bytes, and passes by a thousand


def test_killed_in_the_middle_it_goes_on_and_ends_the_same(corpus, tmp_path):
    assert prepared_apart(corpus.root, tmp_path / "set", last=1200).returncode == -signal.SIGKILL
    assert prepared_apart(corpus.root, tmp_path / "set", workers=1).stderr == ""
    assert content(tmp_path / "set") == content(corpus.set)


@pytest.fixture
def at_once(monkeypatch):
    """Decodes in this process; starting workers for each small source takes longer than the work."""
    monkeypatch.setattr("impasto.data.prepare.crew_size", lambda *_: 0)


@pytest.mark.usefixtures("at_once")
def test_archives_end_as_they_should(tmp_path):
    archives = make_archives(tmp_path / "archives", SEED)
    assert len(archives) > 150
    before = everything_below(tmp_path, tmp_path / "set")
    wrong = {}
    for name, what in archives.items():
        try:
            prepare(tmp_path / "archives" / name, SMALL, tmp_path / "set", least=0)
            listed = rows_of(tmp_path / "set")
        except SourceError as error:
            assert name in str(error)
            listed = None
        shutil.rmtree(tmp_path / "set", ignore_errors=True)
        if not what.allows(listed):
            wrong[name] = listed
    assert wrong == {}
    after = everything_below(tmp_path, tmp_path / "set")
    assert {**after, str(tmp_path): ()} == {**before, str(tmp_path): ()}
    assert not Path("/tmp/impasto-was-here.png").exists()


def fill_folder(root: Path) -> Path:
    """A new folder of 640 small pictures."""
    root.mkdir()
    rng = np.random.default_rng(0)
    for number in range(640):
        (root / f"{number:03d}.png").write_bytes(encoded(picture(rng, "RGB", 12, 9), "PNG"))
    return root


@pytest.fixture
def many(tmp_path) -> Path:
    """Pictures that a test may change."""
    return fill_folder(tmp_path / "many")


@pytest.fixture(scope="module")
def steady(tmp_path_factory) -> tuple[Path, dict[str, bytes]]:
    """Pictures that nobody changes, and what is made of them when nothing goes wrong."""
    place = tmp_path_factory.mktemp("steady")
    made = prepare(fill_folder(place / "many"), SMALL, place / "set", workers=1)
    return place / "many", content(made.path)


def test_files_that_vanish_or_change_on_the_way_are_listed(many, tmp_path):
    late = 320  # far enough behind what the worker may have read by now

    def change(done: int, total: int) -> None:
        if done != 64:
            return
        for number, path in enumerate(sorted(many.iterdir())[late:]):
            match number % 6:
                case 0:
                    path.unlink()
                case 1:
                    os.truncate(path, 0)
                case 2:
                    os.truncate(path, path.stat().st_size // 2)
                case 3:
                    path.write_bytes(b"<html>")
                case 4:
                    path.unlink()
                    path.mkdir()
                case 5:
                    path.unlink()
                    os.mkfifo(path)

    made = prepare(many, SMALL, tmp_path / "set", workers=1, report=change)
    assert made.found == 640
    reasons = {name: (reason.kind, reason.detail) for name, reason in made.rejects()}
    told = [
        ("cannot be read", "No such file or directory"),
        ("not a picture", "empty file"),
        ("damaged", "image file is truncated"),
        ("not a picture", "a web page, often in place of a picture that could not be downloaded"),
        ("cannot be read", "not an ordinary file"),
        ("cannot be read", "not an ordinary file"),
    ]
    assert reasons == {f"{late + n:03d}.png": told[n % 6] for n in range(640 - late)}


def test_files_may_change_while_they_are_read(many, tmp_path):
    paths = sorted(many.iterdir())
    stop = threading.Event()

    def disturb() -> None:
        rng = np.random.default_rng(0)
        while not stop.is_set():
            path = paths[int(rng.integers(0, 320)) * 2]
            match int(rng.integers(0, 4)):
                case 0:
                    path.unlink(missing_ok=True)
                case 1:
                    path.write_bytes(bytes(int(rng.integers(0, 300))))
                case 2:
                    path.write_bytes(paths[1].read_bytes())
                case 3:
                    with path.open("ab") as file:
                        file.write(bytes(1 << 16))

    thread = threading.Thread(target=disturb)

    def begin(done: int, _: int) -> None:
        if done == 64:  # all of them are listed by now
            thread.start()

    try:
        made = prepare(many, SMALL, tmp_path / "set", workers=2, report=begin)
    finally:
        stop.set()
        thread.join()
    assert made.found == 640
    assert len({name for name, _ in rows_of(made.path)}) == 640
    lost = {name: reason.kind for name, reason in made.rejects()}
    assert set(lost.values()) <= {"cannot be read", "not a picture", "damaged"}
    assert all(int(name[:3]) % 2 == 0 for name in lost)


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("writes", [0, 1, 41, 79])
def test_a_disk_that_fills_up_loses_nothing(steady, tmp_path, writes):
    many, whole = steady
    left = writes
    append = layout.Growing.append

    def fill(growing: layout.Growing, rows: np.ndarray) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            growing._file.write(np.ascontiguousarray(rows).tobytes()[:5])  # and no more
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        append(growing, rows)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout.Growing, "append", fill)
        full = r"set cannot be written \(No space left .*free some space .* run it again to go on"
        with pytest.raises(SourceError, match=full):
            prepare(many, SMALL, tmp_path / "set")
    seen = []
    prepare(many, SMALL, tmp_path / "set", report=lambda done, _: seen.append(done))
    assert seen[0] == 64 * (writes // 8) + 64
    assert content(tmp_path / "set") == whole


def test_files_that_must_not_grow_are_one_clear_error(steady, tmp_path):
    many, whole = steady
    for largest in (20_000, 100_000):  # in bytes; the pixels take 122,880
        run = prepared_apart(many, tmp_path / "set", workers=1, largest=largest)
        assert run.returncode == 1
        assert (
            "set cannot be written (File too large); choose another folder with --to" in run.stderr
        )
        assert "Traceback" not in run.stderr
    assert prepared_apart(many, tmp_path / "set", workers=1).stderr == ""
    assert content(tmp_path / "set") == whole


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A file system of one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True
    )
    if not mounted or mounted.returncode:
        pytest.skip("only root may mount a file system")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("after", [64, 640])
def test_a_disk_that_is_really_full_loses_nothing(steady, small_disk, after):
    many, whole = steady

    def fill(done: int, _: int) -> None:
        if done >= after:
            with (small_disk / "filler").open("wb", buffering=0) as file, suppress(OSError):
                while file.write(bytes(4096)):
                    pass

    with pytest.raises(SourceError, match=r"No space left on device.*run it again to go on"):
        prepare(many, SMALL, small_disk / "set", workers=1, report=fill)
    (small_disk / "filler").unlink()
    seen = []
    prepare(many, SMALL, small_disk / "set", report=lambda done, _: seen.append(done))
    assert not seen or seen[0] > 64
    assert content(small_disk / "set") == whole


def test_a_sparse_terabyte_is_not_read(tmp_path):
    root = tmp_path / "sparse"
    root.mkdir()
    with (root / "terabyte.png").open("wb") as file:
        try:
            file.truncate(1 << 40)
        except OSError:
            pytest.skip("this file system has no files so large")
    (root / "real.png").write_bytes(encoded(picture(np.random.default_rng(0), "L", 9, 9), "PNG"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    made = prepare(root, SMALL, tmp_path / "set", workers=1)
    ((name, reason),) = made.rejects()
    assert (name, str(reason)) == ("terabyte.png", "too large: a file of more than 512 MiB")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000
