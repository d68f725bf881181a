import io
import json
import os
import tarfile
from pathlib import Path

import pytest

from impasto.data.config import DataConfig
from impasto.data.sources import opening as sources
from impasto.data.sources.items import Unreadable
from impasto.data.sources.opening import open_source
from impasto.errors import SourceError

PLAIN = DataConfig()


def pack(path: Path, *members: tuple[str, bytes], mode: str = "w") -> Path:
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, mode) as archive:
        for name, content in members:
            facts = tarfile.TarInfo(name)
            facts.size = len(content)
            archive.addfile(facts, io.BytesIO(content))
    return path


def sample(key: str, picture: bytes, label: object, **more: object) -> list[tuple[str, bytes]]:
    return [
        (f"{key}.cls", f"{label}\n".encode()),
        (f"{key}.jpg", picture),
        (f"{key}.json", json.dumps(more).encode()),
        (f"{key}.txt", b"words about it"),
    ]


@pytest.fixture(params=["tar", "tar.gz"])
def shards(request, tmp_path, encoded) -> Path:
    """Two archives of three samples each."""
    for shard in range(2):
        members = [
            member
            for i in range(3)
            for member in sample(f"{shard}{i}", encoded(i), 10 * i, size=i + 0.5, dark=i == 1)
        ]
        mode = "w:gz" if request.param.endswith("gz") else "w"
        pack(tmp_path / "shards" / f"set-{shard:02d}.{request.param}", *members, mode=mode)
    return tmp_path / "shards"


def facts(source) -> list[tuple]:
    return [(item.name, item.labels, item.numbers) for item in source.items()]


def test_a_folder_of_shards_is_one_source_with_labels(shards, encoded):
    (shards / "README.md").write_text("about")
    source = open_source(shards, PLAIN)
    assert source.label_names == {"class": ("0", "10", "20"), "dark": ("false", "true")}
    assert source.number_names == ("size",)
    ending = next(shards.glob("set-00*")).name.removeprefix("set-00")
    assert facts(source) == [
        (f"set-{shard:02d}{ending}/{shard}{i}.jpg", (i, int(i == 1)), (i + 0.5,))
        for shard in range(2)
        for i in range(3)
    ]
    assert [item.payload for item in source.items()] == [encoded(i) for i in (0, 1, 2)] * 2
    assert source.name == str(shards)


def test_shards_start_anywhere_and_are_selected(shards):
    whole = list(open_source(shards, PLAIN).items())
    source = open_source(shards, PLAIN)
    for start in range(7):
        assert list(source.items(start)) == whole[start:]
    tens = open_source(shards, DataConfig(classes=("10",)))
    assert [item.name[-6:] for item in tens.items()] == ["01.jpg", "11.jpg"]
    second = open_source(shards, DataConfig(only=("set-01*",), limit=2))
    assert all(item.name.startswith("set-01") for item in second.items())
    assert len(second) == 2


def test_patterns_stand_for_shards_in_order(shards):
    ending = next(shards.glob("set-00*")).name.removeprefix("set-00")
    expected = facts(open_source(shards, PLAIN))
    for pattern in ("set-{00..01}" + ending, "set-*" + ending, "set-{00,01}" + ending, "*-0[01]*"):
        assert facts(open_source(str(shards / pattern), PLAIN)) == expected
    turned = open_source(str(shards / ("set-{01,00}" + ending)), PLAIN)
    assert facts(turned) == expected[3:] + expected[:3]
    with pytest.raises(SourceError, match=r"set-02.* is not there"):
        open_source(str(shards / ("set-{00..02}" + ending)), PLAIN)
    with pytest.raises(SourceError, match="nothing is called so"):
        open_source(str(shards / "sat-*.tar"), PLAIN)
    with pytest.raises(SourceError, match=r"more than 100,000 archives"):
        open_source(str(shards / "{0..9999999}.tar"), PLAIN)
    (shards / "set-03.txt").touch()
    with pytest.raises(SourceError, match=r"set-03.txt is no tar archive"):
        open_source(str(shards / "set-*"), PLAIN)


def test_shards_of_the_same_name_in_several_folders_are_told_apart(tmp_path, encoded):
    for folder in "ab":
        pack(tmp_path / folder / "0.tar", ("1.png", encoded(0)))
    names = [item.name for item in open_source(str(tmp_path / "*" / "0.tar"), PLAIN).items()]
    assert len(set(names)) == 2
    assert all(name.endswith(("a-0.tar/1.png", "b-0.tar/1.png")) for name in names)


def test_a_single_archive_has_labels_too(tmp_path, encoded):
    members = [*sample("a.0", encoded(0), "cat"), *sample("b.0", encoded(1), "dog")]
    source = open_source(pack(tmp_path / "one.tar", *members), PLAIN)
    assert facts(source) == [("a.0.jpg", (0,), ()), ("b.0.jpg", (1,), ())]
    off = open_source(tmp_path / "one.tar", DataConfig(labels="off"))
    assert off.label_names == {}


def test_folders_in_shards_are_classes_and_shards_are_not(tmp_path, encoded):
    for shard in range(2):
        members = [("cat/1.png", encoded(0)), ("dog/2.png", encoded(1))]
        pack(tmp_path / "s" / f"{shard}.tar", *members)
    source = open_source(tmp_path / "s", PLAIN)
    assert source.label_names == {"class": ("cat", "dog")}
    assert facts(source)[3] == ("1.tar/dog/2.png", (1,), ())


def test_keys_that_come_twice_keep_their_own_labels(tmp_path, encoded):
    members = [
        *sample("k", encoded(0), 1),
        *sample("other", encoded(1), 2),
        *sample("k", encoded(2), 3),
    ]
    pack(tmp_path / "s" / "0.tar", *members)
    pack(tmp_path / "s" / "1.tar", *sample("k", encoded(3), 4), ("k.jpg", encoded(4)))
    source = open_source(tmp_path / "s", PLAIN)
    assert source.label_names == {"class": ("1", "2", "3", "4")}
    assert [item.labels for item in source.items()] == [(0,), (1,), (2,), (3,), (3,)]
    assert [item.payload for item in source.items()] == [encoded(i) for i in range(5)]


def test_labels_that_cannot_be_read_are_missing_and_told(tmp_path, encoded):
    members = [
        *sample("a", encoded(0), 1),
        ("b.jpg", encoded(1)),
        ("b.json", b'{"size": '),
        ("b.cls", b"\xff\xfe"),
        ("notes.json", b"of no picture"),
    ]
    source = open_source(pack(tmp_path / "one.tar", *members), PLAIN)
    assert [item.labels for item in source.items()] == [(0,), (-1,)]
    (notice,) = source.notices
    assert "2 files of labels cannot be read" in notice
    assert "'b.json'" in notice


def test_links_in_an_archive_are_not_followed(tmp_path, encoded):
    path = tmp_path / "links.tar"
    with tarfile.open(path, "w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
            link = tarfile.TarInfo(f"{kind.decode()}.png")
            link.type, link.linkname = kind, "/etc/passwd"
            archive.addfile(link)
    for item in open_source(path, PLAIN).items():
        assert item.payload == Unreadable("a link or special file in the archive")


def test_a_negative_size_does_not_go_on_for_ever(tmp_path):
    header = tarfile.TarInfo("a.png")
    header.size = -512
    content = header.tobuf(tarfile.GNU_FORMAT) + bytes(2048)
    (tmp_path / "back.tar").write_bytes(content)
    with pytest.raises(
        SourceError, match=r"back.tar is not a whole archive \('a.png' has a negative"
    ):
        open_source(tmp_path / "back.tar", PLAIN)


def test_a_damaged_header_in_the_middle_is_no_quiet_end(tmp_path, encoded):
    path = pack(tmp_path / "one.tar", *((f"{i}.png", encoded(i)) for i in range(5)))
    with tarfile.open(path) as archive:
        third = archive.getmembers()[2].offset
    content = bytearray(path.read_bytes())
    content[third : third + 20] = os.urandom(20)
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"one.tar is not a whole archive"):
        open_source(path, PLAIN)


def test_an_archive_cut_after_it_was_listed_is_told_picture_by_picture(tmp_path, encoded):
    path = pack(tmp_path / "one.tar", *((f"{i}.png", encoded(i)) for i in range(3)))
    source = open_source(path, PLAIN)
    path.write_bytes(path.read_bytes()[:2000])
    payloads = [item.payload for item in source.items()]
    assert payloads[0] == encoded(0)
    assert payloads[2] == Unreadable("cut short in the archive")


def test_a_signature_follows_labels_and_archives(shards):
    before = open_source(shards, PLAIN).signature()
    assert open_source(shards, PLAIN).signature() == before
    assert open_source(shards, DataConfig(labels="off")).signature() != before
    os.utime(next(shards.iterdir()), ns=(1, 1))
    assert open_source(shards, PLAIN).signature() != before


def test_braces_are_written_out():
    assert sources._unbraced("a{8..11}b{x,y}") == [
        f"a{i}b{of}" for i in (8, 9, 10, 11) for of in "xy"
    ]
    assert sources._unbraced("{000..002}") == ["000", "001", "002"]
    assert sources._unbraced("plain{") == ["plain{"]
