import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from impasto.data import layout
from impasto.data.config import DataConfig
from impasto.data.decode import FORMATS
from impasto.data.prepare import prepare
from impasto.data.prepared import Prepared, is_prepared
from impasto.errors import SourceError
from impasto.places import cache_home

SMALL = DataConfig(size=8)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IMPASTO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def content(home: Path) -> dict[str, bytes]:
    """Everything in a set that must not depend on how it was made."""
    names = [*layout.Shape(1, 1).arrays(), "pixels.npy", layout.ROWS, layout.FACTS]
    return {name: (home / name).read_bytes() for name in names}


def test_a_folder_becomes_a_set(folder, tmp_path):
    root = folder("cat/1.png", "cat/2.png", "dog/3.png")
    (root / "cat" / "0.jpg").write_bytes(b"no picture")
    told = []
    made = prepare(
        root, SMALL, tmp_path / "set", report=lambda done, total: told.append((done, total))
    )
    assert (made.found, made.kept, made.rejected, len(made)) == (4, 3, 1, 3)
    ((name, reason),) = made.rejects()
    assert (name, reason.kind) == ("cat/0.jpg", "not a picture")
    assert made.label_names == {"class": ("cat", "dog")}
    assert made.labels(np.arange(3)).tolist() == [[0], [0], [1]]
    assert made[0].shape == (8, 8, 3)
    assert made.source == str(root)
    assert told == [(4, 4)]
    rows = [json.loads(line) for line in (tmp_path / "set" / layout.ROWS).read_text().splitlines()]
    assert [row["slot"] for row in rows] == [0, 1, 2, 3]
    assert (rows[1]["name"], rows[1]["width"], rows[1]["height"]) == ("cat/1.png", 20, 16)
    assert np.load(tmp_path / "set" / "status.npy").tolist() == [
        layout.code("not a picture"),
        1,
        1,
        1,
    ]
    assert np.load(tmp_path / "set" / "boxes.npy")[1].tolist() == [2, 0, 18, 16]


def test_bad_files_of_every_kind_are_listed_and_do_not_stop(folder, tmp_path, encoded):
    root = folder("good.png")
    (root / "empty.png").write_bytes(b"")
    (root / "half.jpg").write_bytes(encoded(1, "JPEG", width=200, height=150)[:2000])
    (root / "words.jpg").write_bytes(b"words")
    (root / "gone.png").symlink_to(root / "nothing.png")
    os.mkfifo(root / "pipe.png")
    (root / "new\nline \udcff.png").write_bytes(b"")
    rejects = prepare(root, SMALL, tmp_path / "set").rejects()
    reasons = {name: str(reason) for name, reason in rejects}
    assert reasons.pop("half.jpg").startswith("damaged: ")
    assert reasons == {
        "empty.png": "not a picture: empty file",
        "gone.png": "cannot be read: No such file or directory",
        "new\\nline \\udcff.png": "not a picture: empty file",
        "pipe.png": "cannot be read: not an ordinary file",
        "words.jpg": f"not a picture: none of {', '.join(FORMATS)}",
    }


def test_the_cache_opens_what_it_has(folder, cache):
    root = folder("1.png", "2.png")
    made = prepare(root, SMALL)
    assert made.path.parent == cache / "sets" == cache_home() / "sets"
    before = {path: path.stat().st_mtime_ns for path in made.path.iterdir()}
    again = prepare(root, DataConfig(size=8, flip=False, validation=0.5, split_seed=3))
    assert again.path == made.path
    assert again.config.flip is False
    assert again.fingerprint == made.fingerprint
    assert {path: path.stat().st_mtime_ns for path in made.path.iterdir()} == before
    assert prepare(root, DataConfig(size=10)).path != made.path
    (root / "1.png").write_bytes((root / "2.png").read_bytes())
    assert prepare(root, SMALL).path != made.path


def test_where_the_cache_is(monkeypatch, tmp_path):
    monkeypatch.delenv("IMPASTO_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_home() == tmp_path / "impasto"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_home() == Path.home() / ".cache" / "impasto"


def test_the_fingerprint_follows_content_and_settings(folder, tmp_path):
    one, same = folder("1.png", "2.png", root="one"), folder("1.png", "2.png", root="same")
    first = prepare(one, SMALL, tmp_path / "a").fingerprint
    assert prepare(same, SMALL, tmp_path / "b").fingerprint == first
    assert prepare(same, DataConfig(size=8, crop="pad"), tmp_path / "c").fingerprint != first
    (same / "2.png").write_bytes((same / "1.png").read_bytes())
    assert prepare(same, SMALL, tmp_path / "d").fingerprint != first


def test_a_place_that_is_taken(folder, tmp_path):
    root = folder("1.png")
    home = tmp_path / "taken"
    home.mkdir()
    (home / "thesis.doc").write_text("years of work")
    with pytest.raises(SourceError, match="taken holds something else; choose another --to"):
        prepare(root, SMALL, home)
    assert [path.name for path in home.iterdir()] == ["thesis.doc"]
    with pytest.raises(SourceError, match=r"thesis.doc is a file; choose another --to"):
        prepare(root, SMALL, home / "thesis.doc")
    prepare(root, SMALL, tmp_path / "set")
    with pytest.raises(SourceError, match="prepared from other pictures or settings"):
        prepare(root, DataConfig(size=9), tmp_path / "set")
    with pytest.raises(SourceError, match="is a prepared set already"):
        prepare(tmp_path / "set", SMALL, tmp_path / "other")


def test_a_source_without_one_picture_names_reasons_and_leaves_nothing(folder, tmp_path):
    root = folder("x.png")
    (root / "x.png").write_bytes(b"")
    (root / "y.jpg").write_bytes(b"words")
    with pytest.raises(
        SourceError,
        match=r"none of 2 files is a picture \(x.png: not a picture: empty file; y.jpg: not",
    ):
        prepare(root, SMALL, tmp_path / "set")
    assert not is_prepared(tmp_path / "set")
    folder("x.png")
    assert len(prepare(root, SMALL, tmp_path / "set")) == 1


def test_a_full_disk_is_one_clear_error_up_front(folder, tmp_path, monkeypatch):
    facts = os.statvfs(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(
            layout.os, "statvfs", lambda _: os.statvfs_result((*facts[:4], 0, *facts[5:]))
        )
        with pytest.raises(
            SourceError, match=r"no room for .* GiB of pixels .*prepare to another disk"
        ):
            prepare(folder("1.png"), SMALL, tmp_path / "set")
    assert len(prepare(folder("1.png"), SMALL, tmp_path / "set")) == 1


def test_a_place_that_cannot_be_written(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(
        SourceError, match=r"cannot be written \(Permission denied\); choose another"
    ):
        prepare("kittens:3", SMALL, tmp_path / "set")


@pytest.fixture
def many(tmp_path, encoded):
    root = tmp_path / "many"
    root.mkdir()
    for number in range(400):
        kind = ("PNG", "JPEG")[number % 2]
        data = encoded(number, kind, width=30, height=24) if number % 50 else b"broken"
        (root / f"{number:04d}.{kind.lower()}").write_bytes(data)
    return root


def test_the_number_of_workers_does_not_matter(many, tmp_path):
    prepare(many, SMALL, tmp_path / "one", workers=1)
    prepare(many, SMALL, tmp_path / "two", workers=2)
    assert content(tmp_path / "one") == content(tmp_path / "two")
    assert Prepared.open(tmp_path / "two").rejected == 8


KILLED = """
import os, signal, sys
from impasto.data.config import DataConfig
from impasto.data.prepare import prepare

def report(done, total):
    if done >= int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)

prepare(sys.argv[1], DataConfig(size=8), sys.argv[2], workers=int(sys.argv[4]), report=report)
"""


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_preparation_goes_on_and_ends_the_same(many, tmp_path, workers):
    prepare(many, SMALL, tmp_path / "whole", workers=1)
    home = tmp_path / "killed"
    for done in (64, 200):
        command = [sys.executable, "-c", KILLED, str(many), str(home), str(done), str(workers)]
        assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
        assert not is_prepared(home)
        with pytest.raises(SourceError, match="not prepared to the end"):
            Prepared.open(home)
    rows = (home / layout.FOUND).read_bytes()
    assert rows.count(b"\n") >= 200
    (home / layout.FOUND).write_bytes(rows[:-7])  # as a crash of the whole machine may leave it
    seen = []
    prepare(many, SMALL, home, report=lambda done, _: seen.append(done))
    assert seen[0] > 200
    assert content(home) == content(tmp_path / "whole")


def test_workers_end_when_their_caller_is_killed(many, tmp_path):
    command = [sys.executable, "-c", KILLED, str(many), str(tmp_path / "set"), "64", "2"]
    mark = {**os.environ, "IMPASTO_TEST_MARK": str(tmp_path)}
    subprocess.run(command, check=False, env=mark)
    deadline = time.monotonic() + 20
    while (left := marked(tmp_path)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left


def marked(place: Path) -> list[str]:
    """Processes that were started with this place in their environment."""
    found = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"IMPASTO_TEST_MARK={place}".encode() in environment.read_bytes():
                found.append(environment.parent.name)
        except OSError:  # it ended while we looked, or is another user's
            continue
    return found


def test_ctrl_c_leaves_a_state_to_go_on_from(many, tmp_path):
    def interrupt(done, _):
        if done >= 128:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(many, SMALL, tmp_path / "set", workers=2, report=interrupt)
    seen = []
    made = prepare(
        many, SMALL, tmp_path / "set", workers=1, report=lambda done, _: seen.append(done)
    )
    assert seen[0] > 128
    assert made.kept == 392


def test_two_processes_at_once_make_one_set(many, tmp_path):
    script = (
        "import sys; from impasto.data.config import DataConfig; from impasto.data.prepare import prepare; "
        "print(prepare(sys.argv[1], DataConfig(size=8), workers=1).fingerprint)"
    )
    both = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(many)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    fingerprints = {process.communicate()[0] for process in both}
    assert [process.returncode for process in both] == [0, 0]
    assert fingerprints == {prepare(many, SMALL, tmp_path / "alone").fingerprint + "\n"}


def test_a_beginning_without_a_picture_is_started_anew(many, tmp_path):
    def interrupt(*_):
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "check_room", interrupt)
        with pytest.raises(KeyboardInterrupt):
            prepare(many, SMALL, tmp_path / "set")
    assert prepare(many, DataConfig(size=9), tmp_path / "set").kept == 392


def test_one_waits_while_another_prepares_the_same(folder, tmp_path):
    root, home = folder("1.png"), tmp_path / "set"
    home.mkdir()
    made = []
    waiting = threading.Thread(target=lambda: made.append(prepare(root, SMALL, home)), daemon=True)
    with (home / layout.LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting.start()
        waiting.join(0.5)
        assert waiting.is_alive()
        assert not is_prepared(home)
    waiting.join(20)
    assert [len(prepared) for prepared in made] == [1]


def test_other_settings_do_not_go_on_from_a_beginning(many, tmp_path):
    command = [sys.executable, "-c", KILLED, str(many), str(tmp_path / "set"), "64", "1"]
    subprocess.run(command, check=False)
    with pytest.raises(SourceError, match="the beginning of a set of other pictures or settings"):
        prepare(many, DataConfig(size=9), tmp_path / "set")


@pytest.mark.parametrize("crop", ["center", "random"])
def test_kittens_are_prepared_at_the_stored_size(tmp_path, crop):
    config = DataConfig(size=16, crop=crop)
    made = prepare("kittens:20", config, tmp_path / "set")
    assert made.side == (18 if crop == "random" else 16)
    assert made[0].shape == (16, 16, 3)
    assert made.labels(np.arange(20)).shape == (20, 5)
    assert made.credit == "Cats by David Revoy, CC-BY-4.0 (peppercarrot.com), through robohash"
    assert np.ptp(made.images(np.arange(20)).astype(int)) > 200


def test_no_worker_is_asked_for(many, tmp_path):
    with pytest.raises(SourceError, match="workers: at least 1 is needed, not 0"):
        prepare(many, SMALL, tmp_path / "set", workers=0)


def test_preparing_imports_no_torch():
    script = (
        "import sys, impasto.data.prepare, impasto.data.inspection.inspect, impasto.data.engine.worker; "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_name_that_is_not_utf_8_can_be_told(folder):
    root = folder("whole.png")
    with open(os.fsencode(root) + b"/caf\xe9.jpg", "wb") as file:
        file.write(b"no picture")
    made = prepare(root, SMALL, workers=1)
    ((name, _),) = made.rejects()
    assert name == "caf\\udce9.jpg"
    assert name.encode("utf-8")
