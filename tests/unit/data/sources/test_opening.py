import gzip
import os
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from impasto.data.config import DataConfig
from impasto.data.sources import listing
from impasto.data.sources.items import Drawn, Unreadable
from impasto.data.sources.opening import open_source
from impasto.errors import SourceError

PLAIN = DataConfig()


def names(source):
    return [item.name for item in source.items()]


def zipped(root: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(root.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(root))
    return path


def tarred(root: Path, path: Path, mode: str) -> Path:
    with tarfile.open(path, mode) as archive:
        for file in sorted(root.iterdir()):
            archive.add(file, file.name)
    return path


@pytest.fixture(params=["folder", "zip", "tar", "tar.gz", "tgz"])
def packed(request, tmp_path, folder):
    def make(*files: str) -> Path:
        root = folder(*files)
        path = tmp_path / f"pictures.{request.param}"
        if request.param == "folder":
            return root
        if request.param == "zip":
            return zipped(root, path)
        return tarred(root, path, "w" if request.param == "tar" else "w:gz")

    return make


def test_every_kind_lists_the_same_pictures_classes_and_bytes(packed, encoded):
    source = open_source(packed("a/1.png", "a/deep/2.png", "b/3.jpg", "4.png"), PLAIN)
    items = {item.name: item for item in source.items()}
    assert set(items) == {"a/1.png", "a/deep/2.png", "b/3.jpg", "4.png"}
    assert source.label_names == {"class": ("a", "b")}
    assert {name: item.labels for name, item in items.items()} == {
        "a/1.png": (0,),
        "a/deep/2.png": (0,),
        "b/3.jpg": (1,),
        "4.png": (-1,),
    }
    payload = items["a/deep/2.png"].payload
    assert (payload if isinstance(payload, bytes) else payload.read_bytes()) == encoded(1)
    assert len(source) == 4


def test_items_can_start_anywhere(packed):
    source = open_source(packed("a.png", "b.png", "c.png"), PLAIN)
    assert [item.name for item in source.items(1)] == names(source)[1:]
    assert source.label_names == {}
    assert all(item.labels == () for item in source.items())


def test_hidden_and_side_files_are_passed_over(packed):
    listed = names(
        open_source(
            packed(
                "a.png",
                ".b.png",
                ".git/c.png",
                "__MACOSX/a.png",
                "x.txt",
                "x.csv",
                "Thumbs.db",
                "d.pdf",
            ),
            PLAIN,
        )
    )
    assert sorted(listed) == ["a.png", "d.pdf"]


def test_one_folder_that_holds_folders_is_looked_through(packed):
    root = packed("set/cat/1.png", "set/dog/2.png")
    assert open_source(root, PLAIN).label_names == {"class": ("cat", "dog")}


def test_one_folder_without_folders_is_the_class(packed):
    assert open_source(packed("cat/1.png", "cat/2.png"), PLAIN).label_names == {"class": ("cat",)}


def test_only_and_classes_and_limit_select(packed):
    root = packed(
        *(
            f"{side}/{kind}/{i}.png"
            for side in ("train", "test")
            for kind in "abc"
            for i in range(4)
        )
    )
    frogs = open_source(root, DataConfig(only=("train/a/*", "train/b/*")))
    assert len(frogs) == 8
    assert frogs.label_names == {"class": ("a", "b")}
    chosen = open_source(root, DataConfig(only=("train/*",), classes=("c", "a")))
    assert chosen.label_names == {"class": ("a", "c")}
    assert {(item.name[6], item.labels) for item in chosen.items()} == {("a", (0,)), ("c", (1,))}
    few = open_source(root, DataConfig(limit=5))
    assert len(few) == 5
    assert names(few) == [
        name for name in names(open_source(root, PLAIN)) if name in set(names(few))
    ]
    assert names(few) == names(open_source(root, DataConfig(limit=5)))
    assert names(few) != names(open_source(root, DataConfig(limit=5, split_seed=1)))


def test_an_unknown_class_names_the_nearest(folder):
    with pytest.raises(SourceError, match=r"no class 'catt': did you mean cat\?"):
        open_source(folder("cat/1.png", "dog/2.png"), DataConfig(classes=("catt",)))
    with pytest.raises(SourceError, match="its pictures have no classes"):
        open_source(folder("1.png", root="flat"), DataConfig(classes=("cat",)))


def test_a_pattern_that_matches_nothing_shows_a_name(folder):
    with pytest.raises(
        SourceError, match=r"matches --only 'tran/\*'; names look like 'train/1.png'"
    ):
        open_source(folder("train/1.png"), DataConfig(only=("tran/*",)))


def test_missing_and_empty_and_unknown_sources(tmp_path, folder):
    folder("1.png", root="kitten-photos")
    with pytest.raises(SourceError, match=r"did you mean .*kitten-photos\?"):
        open_source(tmp_path / "kitten-photo", PLAIN)
    with pytest.raises(SourceError, match=r"kitens:5: no such .* did you mean kittens\?"):
        open_source("kitens:5", PLAIN)
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="empty holds no pictures"):
        open_source(tmp_path / "empty", PLAIN)
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(SourceError, match="neither a folder nor"):
        open_source(tmp_path / "notes.txt", PLAIN)


@pytest.mark.parametrize("name", ["broken.zip", "broken.tar", "broken.tar.gz"])
def test_an_archive_that_is_none_is_one_clear_error(tmp_path, name):
    (tmp_path / name).write_bytes(b"no archive at all, only words " * 40)
    with pytest.raises(SourceError, match=f"{name} is not a whole archive"):
        open_source(tmp_path / name, PLAIN)


def test_a_cut_archive_is_one_clear_error(tmp_path, folder):
    path = tarred(folder(*(f"{i}.png" for i in range(30))), tmp_path / "cut.tar.gz", "w:gz")
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(SourceError, match=r"cut.tar.gz is not a whole archive"):
        open_source(path, PLAIN)


def test_a_damaged_member_of_a_zip_is_listed_not_fatal(tmp_path, folder):
    path = zipped(folder("a.png", "b.png"), tmp_path / "pictures.zip")
    content = bytearray(path.read_bytes())
    content[60] ^= 255
    path.write_bytes(content)
    first, second = open_source(path, PLAIN).items()
    assert isinstance(first.payload, Unreadable)
    assert "CRC" in first.payload.reason
    assert isinstance(second.payload, bytes)


def test_nothing_outside_a_folder_is_read(tmp_path, folder, encoded):
    root = folder("a.png")
    outside = folder("secret.png", root="outside")
    (root / "linked-folder").symlink_to(outside)
    (root / "linked.png").symlink_to(outside / "secret.png")
    (root / "inside.png").symlink_to(root / "a.png")
    (root / "loop").symlink_to(root)
    (root / "round.png").symlink_to(root / "round.png")
    found = {item.name: item.payload for item in open_source(root, PLAIN).items()}
    assert set(found) == {"a.png", "inside.png", "linked.png", "round.png"}
    assert found["linked.png"] == Unreadable("a link to outside the folder")
    assert found["inside.png"].read_bytes() == encoded(0)


def test_runs_and_prepared_sets_in_a_folder_are_no_pictures_of_it(tmp_path, folder):
    root = folder("a.png", "run.json/b.png", "runs/one/samples/0.png", "set/c.png")
    for name in ("runs/one/config.yaml", "runs/one/run.json", "set/pixels.npy", "set/draft.json"):
        (root / name).touch()
    names = [item.name for item in open_source(root, DataConfig()).items()]
    assert names == ["a.png", "run.json/b.png"]


def test_names_in_archives_may_point_anywhere(tmp_path, encoded):
    with zipfile.ZipFile(tmp_path / "slip.zip", "w") as archive:
        archive.writestr("../../a.png", encoded(0))
        archive.writestr("/etc/b.png", encoded(0))
        archive.writestr("./c/d.png", encoded(0))
    before = set(tmp_path.rglob("*"))
    assert names(open_source(tmp_path / "slip.zip", PLAIN)) == [
        "../../a.png",
        "etc/b.png",
        "c/d.png",
    ]
    assert set(tmp_path.rglob("*")) == before


def test_a_member_without_a_name_is_passed_over(tmp_path, encoded):
    with zipfile.ZipFile(tmp_path / "odd.zip", "w") as archive:
        archive.writestr("!.png", encoded(0))
        archive.writestr("a.png", encoded(1))
    content = (tmp_path / "odd.zip").read_bytes()
    (tmp_path / "odd.zip").write_bytes(content.replace(b"!.png", b"\0.png"))  # a name ends there
    assert names(open_source(tmp_path / "odd.zip", PLAIN)) == ["a.png"]


def test_files_come_folder_by_folder_in_the_order_of_their_names(folder, monkeypatch):
    root = folder("b.png", "a/2.png", "a.png", "a/1/x.png", "a-b/1.png")
    ordered = ["a/1/x.png", "a/2.png", "a-b/1.png", "a.png", "b.png"]
    assert names(open_source(root, PLAIN)) == ordered
    monkeypatch.setattr(listing, "RUN", 1)  # put in order on disk
    assert names(open_source(root, PLAIN)) == ordered


def test_an_archive_packed_from_within_has_the_same_names(tmp_path, folder):
    with tarfile.open(tmp_path / "within.tar", "w") as archive:
        archive.add(folder("cat/1.png", "dog/2.png"), ".")
    source = open_source(tmp_path / "within.tar", PLAIN)
    assert names(source) == ["cat/1.png", "dog/2.png"]
    assert source.label_names == {"class": ("cat", "dog")}


def test_a_signature_follows_what_is_selected(folder):
    root = folder("a/1.png", "b/2.png")
    whole, part = open_source(root, PLAIN), open_source(root, DataConfig(classes=("a",)))
    assert whole.signature() == open_source(root, PLAIN).signature() != part.signature()
    before = part.signature()
    os.utime(root / "b/2.png", ns=(1, 1))
    assert part.signature() == before
    os.utime(root / "a/1.png", ns=(1, 1))
    assert part.signature() != before


def write_idx(
    folder: Path, stem: str, pictures: np.ndarray, labels: np.ndarray | None, *, packed: bool
) -> None:
    write = gzip.open if packed else open
    end = ".gz" if packed else ""
    with write(folder / f"{stem}-images-idx3-ubyte{end}", "wb") as file:
        file.write(struct.pack(">IIII", 0x803, *pictures.shape) + pictures.tobytes())
    if labels is not None:
        with write(folder / f"{stem}-labels-idx1-ubyte{end}", "wb") as file:
            file.write(struct.pack(">II", 0x801, len(labels)) + labels.tobytes())


@pytest.mark.parametrize("packed", [True, False])
def test_an_idx_pair_by_folder_or_file(tmp_path, packed):
    pictures = np.random.default_rng(0).integers(0, 256, (30, 6, 5), dtype=np.uint8)
    labels = (np.arange(30) % 10).astype(np.uint8)
    write_idx(tmp_path, "train", pictures, labels, packed=packed)
    write_idx(tmp_path, "t10k", pictures[:5], labels[:5], packed=packed)
    source = open_source(tmp_path, PLAIN)
    assert len(source) == 30
    assert source.label_names == {"class": tuple("0123456789")}
    for item, picture, label in zip(source.items(), pictures, labels, strict=True):
        assert np.array_equal(item.payload[:, :, 0], picture)
        assert item.labels == (label,)
    file = next(tmp_path.glob("t10k-images*"))
    assert len(open_source(file, PLAIN)) == 5
    threes = open_source(tmp_path, DataConfig(classes=("3",)))
    assert [item.name for item in threes.items()] == ["3/00003", "3/00013", "3/00023"]


def test_idx_without_labels_or_cut_short(tmp_path):
    pictures = np.zeros((3, 4, 4), np.uint8)
    write_idx(tmp_path, "train", pictures, None, packed=False)
    assert open_source(tmp_path, PLAIN).label_names == {}
    file = tmp_path / "train-images-idx3-ubyte"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(SourceError, match="cut short"):
        list(open_source(tmp_path, PLAIN).items())
    write_idx(tmp_path, "train", pictures, np.zeros(2, np.uint8), packed=False)
    with pytest.raises(SourceError, match="2 labels for the 3 pictures"):
        open_source(tmp_path, PLAIN)


def test_kittens_have_exact_labels_and_never_repeat():
    source = open_source("kittens:40", DataConfig(size=16))
    assert [len(kinds) for kinds in source.label_names.values()] == [15, 10, 15, 10, 16]
    assert list(source.label_names) == ["body", "fur", "eyes", "mouth", "accessory"]
    assert "David Revoy" in source.credit
    items = list(source.items())
    assert len({item.labels for item in items}) == 40
    for item in items:
        parts = zip(source.label_names.values(), item.labels, strict=True)
        assert item.name == "-".join(kinds[label] for kinds, label in parts)
        assert isinstance(item.payload, Drawn)
        assert item.payload.pixels.shape == (16, 16, 3)


def test_fewer_kittens_are_the_first_of_more():
    few, more = (
        open_source("kittens:5", DataConfig(size=16)),
        open_source("kittens:9", DataConfig(size=16)),
    )
    assert names(few) == names(more)[:5]
    assert few.signature() != more.signature()
    assert len(open_source("kittens", PLAIN)) == 5000


def test_kittens_stand_on_the_background():
    (cat,) = open_source("kittens:1", DataConfig(size=16, background="#00ff00")).items()
    assert cat.payload.pixels[0, 0].tolist() == [0, 255, 0]


def test_kittens_are_selected_by_pattern():
    source = open_source("kittens:300", DataConfig(size=16, only=("body3-*",), limit=4))
    assert len(source) == 4
    assert all(
        item.labels[0] == source.label_names["body"].index("body3") for item in source.items()
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kittens:400000", "there are 360,000 kittens"),
        ("kittens:0", "at least one"),
        ("kittens:many", "'many' is not a number"),
        ("kittens:", "'' is not a number"),
    ],
)
def test_wrong_numbers_of_kittens(text, message):
    with pytest.raises(SourceError, match=message):
        open_source(text, PLAIN)


def test_a_folder_called_kittens_can_be_meant(tmp_path, folder, monkeypatch):
    folder("1.png", root="kittens")
    monkeypatch.chdir(tmp_path)
    assert len(open_source("./kittens", PLAIN)) == 1
    assert len(open_source(Path("kittens"), PLAIN)) == 1


def test_the_shared_pictures(shared):
    data = shared / "data"
    assert open_source(data / "cat-faces-64.zip", PLAIN).label_names == {"class": ("cat-faces",)}
    frogs = open_source(data / "cifar10-jpg.tar.gz", DataConfig(only=("train/frog/*",)))
    assert len(frogs) == 5000
    digits = open_source(data / "mnist", PLAIN)
    assert (len(digits), digits.label_names["class"]) == (60_000, tuple("0123456789"))
