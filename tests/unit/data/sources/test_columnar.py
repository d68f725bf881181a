import os
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from impasto.data.config import DataConfig
from impasto.data.sources.items import Unreadable
from impasto.data.sources.opening import open_source
from impasto.errors import SourceError

PLAIN = DataConfig()


def write(path: Path, rows: list[dict], **how: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path, **how)
    return path


@pytest.fixture
def rows(encoded) -> list[dict]:
    return [
        {"image": {"bytes": encoded(i), "path": None}, "tone": "ab"[i % 2], "size": i + 0.5}
        for i in range(10)
    ]


def test_a_parquet_file_gives_pictures_and_labels(tmp_path, rows, encoded):
    source = open_source(write(tmp_path / "set.parquet", rows, row_group_size=3), PLAIN)
    assert source.label_names == {"tone": ("a", "b")}
    assert source.number_names == ("size",)
    items = list(source.items())
    assert [item.name for item in items] == [f"{i:06d}" for i in range(10)]
    assert [item.payload for item in items] == [encoded(i) for i in range(10)]
    assert [(item.labels, item.numbers) for item in items[:2]] == [((0,), (0.5,)), ((1,), (1.5,))]
    assert [list(source.items(start)) for start in (1, 5, 9, 10)] == [
        items[1:],
        items[5:],
        items[9:],
        [],
    ]


def test_only_the_groups_that_are_needed_are_read(tmp_path, rows, monkeypatch):
    source = open_source(write(tmp_path / "set.parquet", rows, row_group_size=2), PLAIN)
    read = []
    plain = pq.ParquetFile.iter_batches

    def noting(self, *args, row_groups, **more):
        read.extend(row_groups)
        return plain(self, *args, row_groups=row_groups, **more)

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", noting)
    assert len(list(source.items(7))) == 3
    assert read == [3, 4]


def test_a_folder_of_parquet_files_in_the_order_of_their_names(tmp_path, rows):
    write(tmp_path / "data" / "train-00001-of-00002.parquet", rows[6:])
    write(tmp_path / "data" / "train-00000-of-00002.parquet", rows[:6])
    (tmp_path / "README.md").write_text("about")
    source = open_source(tmp_path, PLAIN)
    names = [item.name for item in source.items()]
    assert names[5:7] == [
        "data/train-00000-of-00002.parquet/000005",
        "data/train-00001-of-00002.parquet/000000",
    ]
    assert source.label_names == {"tone": ("a", "b")}
    part = open_source(tmp_path, DataConfig(only=("data/train-00001*",), limit=2))
    assert [item.numbers[0] > 6 for item in part.items()] == [True, True]


def test_bytes_without_a_struct_are_known_by_name_or_by_how_they_begin(tmp_path, encoded):
    for column in ("img", "anything"):
        rows = [{"other": b"\x00\x01", column: None}, {"other": b"", column: encoded(1)}]
        first, second = open_source(write(tmp_path / f"{column}.parquet", rows), PLAIN).items()
        assert first.payload == Unreadable("no picture in this row")
        assert second.payload == encoded(1)


def test_the_first_of_several_columns_of_pictures_is_taken(tmp_path, encoded):
    rows = [{"image": {"bytes": encoded(0)}, "mask": {"bytes": encoded(1)}}]
    source = open_source(write(tmp_path / "set.parquet", rows), PLAIN)
    assert next(source.items()).payload == encoded(0)
    assert source.notices == (
        f"{tmp_path / 'set.parquet'}: the pictures of column 'image' are taken, not those of mask",
    )


def test_paths_are_read_within_the_folder_only(tmp_path, encoded):
    (tmp_path / "secret.png").write_bytes(encoded(0))
    home = tmp_path / "set"
    home.mkdir()
    (home / "link.png").symlink_to(tmp_path / "secret.png")
    names = ["in.png", "../secret.png", str(tmp_path / "secret.png"), "link.png", "a\0b"]
    rows = [{"image": {"bytes": None, "path": name}} for name in names]
    path = write(home / "set.parquet", rows)
    payloads = [item.payload for item in open_source(path, PLAIN).items()]
    assert payloads[0] == home / "in.png"
    assert all(isinstance(payload, Unreadable) for payload in payloads[1:])
    assert all("outside the folder" in payload.reason for payload in payloads[1:4])


def test_no_column_of_pictures(tmp_path):
    path = write(tmp_path / "set.parquet", [{"a": 1, "b": b"no picture"}])
    with pytest.raises(SourceError, match=r"no column holds pictures \(there are: a, b\)"):
        open_source(path, PLAIN)


def test_a_file_of_other_columns_is_named(tmp_path, rows):
    write(tmp_path / "a.parquet", rows)
    write(tmp_path / "b.parquet", [{"x": 1}])
    with pytest.raises(SourceError, match=r"b.parquet has no column 'image'"):
        open_source(tmp_path, PLAIN)


def test_a_parquet_file_cut_short_or_none_is_one_clear_error(tmp_path, rows):
    path = write(tmp_path / "set.parquet", rows)
    for content in (path.read_bytes()[:-20], b"", b"PAR1" * 40):
        path.write_bytes(content)
        with pytest.raises(SourceError, match=r"set.parquet is not a whole Parquet file"):
            open_source(path, PLAIN)


def test_a_damaged_group_does_not_end_the_reading(tmp_path, encoded):
    pictures = [encoded(i, width=60, height=60) for i in range(9)]
    rows = [{"image": {"bytes": of}} for of in pictures]
    path = write(tmp_path / "set.parquet", rows, row_group_size=3, use_dictionary=False)
    column = pq.ParquetFile(path).metadata.row_group(1).column(0)
    source = open_source(path, PLAIN)
    with path.open("r+b") as file:
        file.seek(column.data_page_offset)
        file.write(b"\xff" * (column.total_compressed_size - 10))
    payloads = [item.payload for item in source.items()]
    assert payloads[:3] + payloads[6:] == pictures[:3] + pictures[6:]
    for payload in payloads[3:6]:
        assert payload.reason.startswith("damaged in set.parquet: ")


def test_a_signature_follows_the_file_and_the_labels(tmp_path, rows):
    path = write(tmp_path / "set.parquet", rows)
    before = open_source(path, PLAIN).signature()
    assert open_source(path, PLAIN).signature() == before
    assert open_source(path, DataConfig(labels="off")).signature() != before
    os.utime(path, ns=(1, 1))
    assert open_source(path, PLAIN).signature() != before


@pytest.fixture
def saved(tmp_path, picture) -> Path:
    """What `datasets` writes: two splits, a class that is missing once, and a number."""
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    kinds = datasets.ClassLabel(names=["zebra", "ant"])
    features = {"label": kinds, "image": datasets.Image(), "size": datasets.Value("float32")}

    def split(first: int, count: int) -> object:
        numbers = range(first, first + count)
        columns = {
            "image": [picture(i) for i in numbers],
            "label": [None if i == 2 else i % 2 for i in numbers],
            "size": [i / 4 for i in numbers],
        }
        return datasets.Dataset.from_dict(columns, features=datasets.Features(features))

    splits = {"train": split(0, 5), "test": split(5, 2)}
    datasets.DatasetDict(splits).save_to_disk(
        tmp_path / "saved", num_shards={"train": 2, "test": 1}
    )
    splits["test"].to_parquet(tmp_path / "hub" / "test.parquet")
    return tmp_path / "saved"


def test_a_data_set_saved_by_datasets(saved):
    source = open_source(saved, PLAIN)
    assert source.label_names == {"class": ("zebra", "ant")}
    assert source.number_names == ("size",)
    items = list(source.items())
    assert [item.name for item in items] == [
        *(f"train/{i:06d}" for i in range(5)),
        *(f"test/{i:06d}" for i in range(2)),
    ]
    assert [item.labels[0] for item in items] == [0, 1, -1, 1, 0, 1, 0]
    assert [item.numbers[0] for item in items] == [i / 4 for i in range(7)]
    assert all(item.payload[:4] == b"\x89PNG" for item in items)
    assert [list(source.items(start)) for start in range(8)] == [items[s:] for s in range(8)]
    ants = open_source(saved, DataConfig(only=("train/*",), classes=("ant",)))
    assert [item.name for item in ants.items()] == ["train/000001", "train/000003"]


def test_one_split_and_the_same_as_parquet(saved):
    split = list(open_source(saved / "test", PLAIN).items())
    parquet = open_source(saved.parent / "hub" / "test.parquet", PLAIN)
    assert parquet.label_names == {"class": ("zebra", "ant")}
    assert [item.payload for item in parquet.items()] == [item.payload for item in split]
    assert [item.name for item in split] == ["000000", "000001"]


def test_a_saved_data_set_cut_short_or_leading_elsewhere(saved):
    file = next((saved / "train").glob("data-00000*"))
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    with pytest.raises(SourceError, match=r"is not a whole Arrow file"):
        open_source(saved, PLAIN)
    elsewhere = file.rename(saved.parent / "elsewhere.arrow")
    file.symlink_to(elsewhere)
    with pytest.raises(SourceError, match="a link to outside the folder"):
        open_source(saved, PLAIN)
    (saved / "train" / "state.json").write_text("{}")
    with pytest.raises(SourceError, match=r"state.json names no files"):
        open_source(saved, PLAIN)


def test_without_the_package_it_is_named(tmp_path, rows, monkeypatch):
    path = write(tmp_path / "set.parquet", rows)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(SourceError, match=r"pip install 'impasto\[parquet\]'"):
        open_source(path, PLAIN)
