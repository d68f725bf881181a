import os
import sys
from pathlib import Path

import lmdb
import pytest

from impasto.data.config import DataConfig
from impasto.data.sources.items import Unreadable
from impasto.data.sources.opening import open_source
from impasto.errors import SourceError

PLAIN = DataConfig()


def write(path: Path, rows: dict[bytes, bytes]) -> Path:
    environment = lmdb.open(str(path), map_size=2**24)
    with environment, environment.begin(write=True) as transaction:
        for key, value in rows.items():
            transaction.put(key, value)
    return path


@pytest.fixture
def church(tmp_path, encoded) -> Path:
    rows = {f"{i * 7 % 10:040x}".encode(): encoded(i * 7 % 10) for i in range(10)}
    return write(tmp_path / "church_lmdb", rows | {b"length": b"10", b"__keys__": b""})


def test_keys_in_order_with_their_values(church, encoded):
    source = open_source(church, PLAIN)
    items = list(source.items())
    assert [item.name for item in items] == [f"{i:040x}" for i in range(10)]
    assert [item.payload for item in items] == [encoded(i) for i in range(10)]
    assert len(source) == 10
    assert source.encoded
    assert source.label_names == {}


def test_a_database_by_its_file_and_from_anywhere(church):
    whole = list(open_source(church, PLAIN).items())
    for path in (church, church / "data.mdb"):
        source = open_source(path, PLAIN)
        assert [list(source.items(start)) for start in (0, 4, 10)] == [whole, whole[4:], []]


def test_two_readers_at_once_do_not_disturb_each_other(church):
    first, second = open_source(church, PLAIN).items(), open_source(church, PLAIN).items(3)
    assert next(first).name.endswith("0")
    assert next(second).name.endswith("3")
    assert next(first).name.endswith("1")


def test_a_database_on_a_disk_that_cannot_be_written(church):
    (church / "lock.mdb").unlink()
    (church / "data.mdb").chmod(0o444)
    church.chmod(0o555)
    try:
        assert len(open_source(church, PLAIN)) == 10
    finally:
        church.chmod(0o755)
    assert not (church / "lock.mdb").exists()


def test_keys_may_be_any_bytes_and_folders_in_them_are_classes(tmp_path, encoded):
    keys = [b"\xff\x00\xfe", "köln".encode(), b"\xed\xb3\xbf"]
    source = open_source(write(tmp_path / "odd", dict.fromkeys(keys, encoded(1))), PLAIN)
    assert [item.payload for item in source.items()] == [encoded(1)] * 3
    rows = {b"cat/1": encoded(0), b"dog/1": encoded(1)}
    assert open_source(write(tmp_path / "kinds", rows), PLAIN).label_names == {
        "class": ("cat", "dog")
    }


def test_selection_and_a_table(church):
    (church / "labels.csv").write_text(f"id,tone\n{3:040x},warm\n{4:040x},cold\n")
    source = open_source(church, DataConfig(only=("*3", "*4")))
    assert [item.labels for item in source.items()] == [(1,), (0,)]
    assert len(open_source(church, DataConfig(limit=4))) == 4


def test_a_signature_follows_the_file(church):
    before = open_source(church, PLAIN).signature()
    assert open_source(church, PLAIN).signature() == before
    assert open_source(church, DataConfig(limit=3)).signature() != before
    os.utime(church / "data.mdb", ns=(1, 1))
    assert open_source(church, PLAIN).signature() != before


def test_a_database_cut_short_is_one_clear_error(church):
    file = church / "data.mdb"
    file.write_bytes(file.read_bytes()[: -3 * 4096])
    with pytest.raises(SourceError, match=r"data.mdb is cut short: it promises [\d,]+ bytes"):
        open_source(church, PLAIN)


@pytest.mark.parametrize("content", [b"", b"no database at all, only words " * 400])
def test_a_file_that_is_no_database_is_one_clear_error(tmp_path, content):
    (tmp_path / "data.mdb").write_bytes(content)
    with pytest.raises(SourceError, match=r"data.mdb is not a whole LMDB database"):
        open_source(tmp_path, PLAIN)


def test_a_database_damaged_after_it_was_listed_does_not_end_the_reading(tmp_path, encoded):
    rows = {f"{i:05d}".encode(): encoded(i, width=64, height=64) for i in range(40)}
    path = write(tmp_path / "torn", rows)
    source = open_source(path, PLAIN)
    with (path / "data.mdb").open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(2 * 4096)
        for _ in range(2, size // 4096):
            file.write(b"\xff" * 4096)
    payloads = [item.payload for item in source.items()]
    assert len(payloads) == 40
    assert any(isinstance(payload, Unreadable) for payload in payloads)


def test_without_the_package_it_is_named(church, monkeypatch):
    monkeypatch.setitem(sys.modules, "lmdb", None)
    with pytest.raises(SourceError, match=r"pip install 'impasto\[lmdb\]'"):
        open_source(church, PLAIN)
