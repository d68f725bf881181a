import json
import math
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from impasto.data.config import DataConfig
from impasto.data.sources.columns import Gathered
from impasto.data.sources.opening import open_source
from impasto.errors import SourceError

PLAIN = DataConfig()


def labelled(root: Path, text: str, name: str = "labels.csv") -> Path:
    (root / name).write_text(text)
    return root


def told(source) -> dict[str, tuple]:
    return {item.name: (item.labels, item.numbers) for item in source.items()}


def test_a_table_beside_the_pictures_gives_their_labels(folder):
    root = labelled(
        folder("a.png", "b.png", "c.png"),
        "file_name,hair,smiles,age\nb.png,dark,true,31.5\na.png,fair,False,\nc.png,NA,true,20\n",
    )
    source = open_source(root, PLAIN)
    assert source.label_names == {"hair": ("dark", "fair"), "smiles": ("false", "true")}
    assert source.number_names == ("age",)
    assert source.notices == ()
    items = told(source)
    assert items["b.png"] == ((0, 1), (31.5,))
    assert items["c.png"] == ((-1, 1), (20.0,))
    labels, (age,) = items["a.png"]
    assert labels == (1, 0)
    assert math.isnan(age)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.csv", "file_name,tags\na.png,hat|smile\nb.png,\nc.png, smile ; beard\n"),
        (
            "labels.jsonl",
            """{"file_name": "a.png", "tags": ["hat", "smile"]}
            {"file_name": "b.png"}
            {"file_name": "c.png", "tags": ["smile", "beard"]}
            """,
        ),
    ],
)
def test_cells_that_hold_several_values_become_an_attribute_for_each(folder, name, text):
    source = open_source(labelled(folder("a.png", "b.png", "c.png"), text, name), PLAIN)
    assert source.label_names == dict.fromkeys(("beard", "hat", "smile"), ("no", "yes"))
    items = told(source)
    assert items["a.png"][0] == (0, 1, 1)
    assert items["b.png"][0] == (-1, -1, -1)
    assert items["c.png"][0] == (1, 0, 1)
    (notice,) = source.notices
    assert "each of its 3" in notice


def test_values_of_several_columns_keep_apart(folder):
    text = "file_name,hat,tags\na.png,red,hat|red\nb.png,blue,red|coat\n"
    source = open_source(labelled(folder("a.png", "b.png"), text), PLAIN)
    assert list(source.label_names) == ["hat", "coat", "tags.hat", "red"]
    assert told(source)["b.png"][0] == (0, 1, 0, 1)


def cells(kind: str, root: Path) -> None:
    rows = [{"file_name": "a.png", "size": 1.5, "kind": "x"}, {"file_name": "b.png", "kind": None}]
    if kind == "jsonl":
        labelled(root, "\n".join(map(json.dumps, rows)) + "\n", "metadata.jsonl")
    elif kind == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), root / "metadata.parquet")
    else:
        split = {"csv": ",", "tsv": "\t"}[kind]
        lines = ["file_name,size,kind", "a.png,1.5,x", "b.png,,"]
        labelled(root, "\n".join(lines).replace(",", split), f"metadata.{kind}")


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet"])
def test_all_kinds_of_tables_say_the_same(folder, kind):
    root = folder("a.png", "b.png")
    cells(kind, root)
    source = open_source(root, PLAIN)
    assert (source.label_names, source.number_names) == ({"kind": ("x",)}, ("size",))
    assert told(source)["a.png"] == ((0,), (1.5,))
    assert told(source)["b.png"][0] == (-1,)


def kinds(values: list, name: str = "v") -> tuple[dict, tuple]:
    gathered = Gathered("here")
    for value in values:
        gathered.append({name: value})
    columns = gathered.columns()
    return columns.label_names, columns.number_names


@pytest.mark.parametrize(
    ("values", "categories"),
    [
        (["1", "-1", "-1"], ("-1", "1")),
        (["0", "1", "", "1"], ("0", "1")),
        ([True, False, None], ("false", "true")),
        (["TRUE", "false"], ("false", "true")),
        (["10", "9", "big", "2"], ("2", "9", "10", "big")),
        (["1.0", "2.0", "1"], ("1", "2")),
        (["red"] * 50 + ["blue"] * 50, ("blue", "red")),
        ([str(i % 40) + "x" for i in range(100)], tuple(sorted(f"{i}x" for i in range(40)))),
    ],
)
def test_categories(values, categories):
    assert kinds(values) == ({"v": categories}, ())


@pytest.mark.parametrize(
    "values", [["0.5", "1"], list(map(str, range(21))), [1e-3, None], ["-3", "1e3", "2.25"]]
)
def test_numbers(values):
    assert kinds(values) == ({}, ("v",))


def test_a_class_of_many_numbers_stays_a_class_and_label_is_one():
    numbers = tuple(map(str, range(300)))
    assert kinds(list(numbers), "class") == ({"class": numbers}, ())
    assert kinds(list(numbers), "label") == ({"class": numbers}, ())
    assert kinds(["0.5", "0.25"], "label") == ({}, ("label",))


def test_prose_is_passed_over_with_a_notice(folder):
    names = [f"{i:02d}.png" for i in range(30)]
    rows = "".join(f"{name},a picture of {name},{i % 2}\n" for i, name in enumerate(names))
    source = open_source(labelled(folder(*names), "file,caption,odd\n" + rows), PLAIN)
    assert source.label_names == {"odd": ("0", "1")}
    (notice,) = source.notices
    assert "column 'caption' is passed over: 30 different texts in 30 rows" in notice


@pytest.mark.parametrize(
    "form",
    ["{folder}/{stem}.png", "{stem}.png", "{stem}", "./{folder}/{stem}", "set/{folder}/{stem}.png"],
)
def test_files_may_be_named_with_folders_and_extensions_or_without(folder, form):
    root = folder("a/one.png", "b/two.png")
    rows = "".join(
        form.format(folder=of, stem=stem) + f",{stem}\n"
        for of, stem in (("a", "one"), ("b", "two"))
    )
    items = told(open_source(labelled(root, "id,what\n" + rows), PLAIN))
    assert items == {"a/one.png": ((0, 0), ()), "b/two.png": ((1, 1), ())}


def test_a_table_tells_the_class_in_place_of_the_folders(folder):
    root = labelled(folder("x/a.png", "y/b.png", "y/c.png"), "file,class\na,cat\nb,dog\nc,cat\n")
    source = open_source(root, PLAIN)
    assert source.label_names == {"class": ("cat", "dog")}
    cats = open_source(root, DataConfig(classes=("cat",)))
    assert told(cats) == {"x/a.png": ((0,), ()), "y/c.png": ((0,), ())}
    dogs = open_source(root, DataConfig(classes=("dog",)))
    assert told(dogs) == {"y/b.png": ((0,), ())}
    assert dogs.label_names == {"class": ("dog",)}


def test_the_class_of_the_folders_comes_before_the_columns(folder):
    root = labelled(folder("x/a.png", "y/b.png"), "file,tone\nx/a.png,warm\ny/b.png,cold\n")
    source = open_source(root, PLAIN)
    assert source.label_names == {"class": ("x", "y"), "tone": ("cold", "warm")}
    assert told(source)["x/a.png"] == ((0, 1), ())


def test_labels_can_be_elsewhere_or_off(folder, tmp_path):
    root = labelled(folder("a.png"), "file,tone\na.png,warm\n")
    (tmp_path / "other.csv").write_text("file,age\na.png,1.5\n")
    assert open_source(root, DataConfig(labels="off")).label_names == {}
    assert open_source(root, DataConfig(labels="")).label_names == {}
    assert open_source(root, DataConfig(labels="ignore")).label_names == {}
    other = open_source(root, DataConfig(labels=str(tmp_path / "other.csv")))
    assert (other.label_names, other.number_names) == ({}, ("age",))
    assert open_source(root, DataConfig(labels="labels.csv")).label_names == {"tone": ("warm",)}
    with pytest.raises(SourceError, match=r"gone.csv: no such table"):
        open_source(root, DataConfig(labels="gone.csv"))
    with pytest.raises(SourceError, match=r"kittens:3: labels: kittens have"):
        open_source("kittens:3", DataConfig(labels="gone.csv"))


ERRORS = [
    ("file,a\nx.png,1\nx.png,2\n", r"labels.csv, row 3, file: 'x.png' stands in row 2 already"),
    ("file,a\nx.png,1\ny.png\n", r"labels.csv, row 3: 1 fields, where the header has 2"),
    ("what,a\nx.png,1\n", r"row 1: no column names the files \(there are what, a\)"),
    ("file,a,a\nx.png,1,2\n", r"row 1: two columns are called 'a'"),
    ("file,a\nx.png,1\n,2\n", r"row 3, file: no file is named"),
    ('file,a\n"x.png,1\n', r"row 2: unexpected end of data"),
    ("file,a\n", r"labels.csv has no rows"),
    ("file,a\nq.png,1\n", r"none of the files it names is there \(row 2 names 'q.png', .*'x.png'"),
    ('file,a\nx.png,"two\nlines"\ny.png\n', r"row 4: 1 fields"),
]


@pytest.mark.parametrize(("text", "message"), ERRORS)
def test_errors_say_which_row(folder, text, message):
    root = labelled(folder("x.png", "y.png"), text)
    with pytest.raises(SourceError, match=message) as caught:
        open_source(root, PLAIN)
    assert "--labels ignore" in str(caught.value)
    assert "data.labels=ignore" in str(caught.value)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"file_name": "y.png", ', "row 2: not JSON"),
        (b"[1, 2]", "row 2: not an object in braces"),
        (b'{"age": 3}', "row 2, file_name: no file is named"),
        (b'{"file_name": "\xff.png"}', "row 2: not UTF-8"),
        (b"[" * 100_000, "row 2: not JSON"),
        (b"x" * 2**20, "row 2: longer than 1 MiB"),
    ],
)
def test_errors_of_json_lines_say_which_row(folder, line, message):
    root = folder("x.png", "y.png")
    (root / "metadata.jsonl").write_bytes(b'{"file_name": "x.png", "age": 1}\n' + line + b"\n")
    with pytest.raises(SourceError, match=message):
        open_source(root, PLAIN)


def test_a_row_that_fits_two_pictures_is_an_error(folder):
    root = labelled(folder("a/1.png", "b/1.png"), "file,tone\n1.png,warm\n")
    with pytest.raises(
        SourceError, match=r"row 2: '1.png' may be more than one picture, .*'b/1.png'"
    ):
        open_source(root, PLAIN)
    assert len(open_source(root, DataConfig(only=("a/*",)))) == 1


def test_what_the_table_and_the_folder_do_not_share_is_told(folder):
    root = labelled(folder("a.png", "b.png"), "file,tone\na.png,warm\nq.png,cold\nr.png,cold\n")
    source = open_source(root, PLAIN)
    rows, pictures = source.notices
    assert "2 of its 3 rows name files that are not there; the first is row 3, 'q.png'" in rows
    assert "1 of 2 pictures have no row" in pictures
    assert told(source)["b.png"] == ((-1,), ())


def test_a_table_is_part_of_the_signature(folder):
    root = labelled(folder("a.png", "b.png"), "file,tone\na.png,warm\nb.png,cold\n")
    before = open_source(root, PLAIN).signature()
    assert open_source(root, PLAIN).signature() == before
    labelled(root, "file,tone\na.png,cold\nb.png,warm\n")
    after = open_source(root, PLAIN).signature()
    assert after != before
    assert open_source(root, DataConfig(labels="off")).signature() not in {before, after}


def test_a_table_in_excel_s_way_of_writing(folder):
    root = folder("ä.png")
    (root / "labels.csv").write_bytes("\ufefffile;tone\r\nä.png;warm\r\n\r\n".encode())
    assert told(open_source(root, PLAIN)) == {"ä.png": ((0,), ())}


def test_an_archive_has_its_table_beside_it(folder, tmp_path):
    import zipfile

    root = folder("a.png")
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.write(root / "a.png", "a.png")
    (tmp_path / "set.csv").write_text("file,tone\na.png,warm\n")
    assert told(open_source(tmp_path / "set.zip", PLAIN)) == {"a.png": ((0,), ())}
