"""Pictures to codes in files, and back."""

import csv
import json

import numpy as np
import pytest
from PIL import Image
from small import KITTENS as SOURCE

from impasto.errors import BadInput
from impasto.workflows.coding import decode, encode
from impasto.workflows.reading import codes_of, opened, pictures


def test_codes_are_the_same_at_every_call_and_in_any_batch(coder):
    model = opened(coder)
    prepared = pictures(SOURCE, model.data)
    whole = codes_of(model.coder, prepared)
    assert (whole == codes_of(model.coder, prepared)).all()
    one = model.coder.encode(prepared.images(np.array([17]))).numpy()
    assert np.allclose(
        one, model.coder.encode(prepared.images(np.arange(10, 30))).numpy()[7:8], atol=1e-5
    )


@pytest.mark.parametrize("name", ["codes.npy", "codes.csv"])
def test_codes_go_to_a_file_and_come_back_as_pictures(coder, tmp_path, name):
    assert encode(coder, SOURCE, tmp_path / name) == (80, 8)
    model = opened(coder)
    right = codes_of(model.coder, pictures(SOURCE, model.data))
    if name.endswith(".npy"):
        assert np.allclose(np.load(tmp_path / name), right)
        told = json.loads((tmp_path / "codes.json").read_text("utf-8"))
        assert len(set(told["names"])) == 80
        assert told["model"] == model.digest.hex()
    else:
        with (tmp_path / name).open(encoding="utf-8") as file:
            rows = list(csv.reader(file))
        assert rows[0] == ["name", *(f"z{place}" for place in range(8))]
        assert np.allclose(np.array([row[1:] for row in rows[1:]], float), right)
    (sheet,) = decode(coder, tmp_path / name, tmp_path / "back.png")
    with Image.open(sheet) as picture:
        assert picture.size == (9 * 18 + 2, 9 * 18 + 2)
    files = decode(coder, tmp_path / name, tmp_path / "back")
    assert len(files) == 80


def test_what_is_asked_for_changes_what_is_decoded(coder, tmp_path):
    encode(coder, SOURCE, tmp_path / "codes.npy")
    (plain,) = decode(coder, tmp_path / "codes.npy", tmp_path / "a.png")
    (other,) = decode(coder, tmp_path / "codes.npy", tmp_path / "b.png", condition=["fur3"])
    assert plain.read_bytes() != other.read_bytes()


def test_what_cannot_be_used_is_told_in_one_sentence(coder, drawer, tmp_path):
    with pytest.raises(BadInput, match="draws pictures and does not read them"):
        encode(drawer, SOURCE, tmp_path / "codes.npy")
    with pytest.raises(BadInput, match=r"written as \.npy or \.csv"):
        encode(coder, SOURCE, tmp_path / "codes.txt")
    with pytest.raises(BadInput, match="no such file of codes"):
        decode(coder, tmp_path / "none.npy", tmp_path / "x.png")
    with pytest.raises(BadInput, match=r"name a \.png"):
        decode(coder, tmp_path / "none.npy", tmp_path / "x.txt")
    for odd in (np.zeros(2, [("a", "f4")]), np.zeros((2, 8), complex), np.array([["a"]])):
        np.save(tmp_path / "odd.npy", odd)
        with pytest.raises(BadInput, match=r"odd\.npy: cannot be read as codes"):
            decode(coder, tmp_path / "odd.npy", tmp_path / "x.png")
    for none in (np.zeros((0, 8), np.float32), np.full((2, 8), np.nan)):
        np.save(tmp_path / "none.npy", none)
        with pytest.raises(BadInput, match="encode with the same model"):
            decode(coder, tmp_path / "none.npy", tmp_path / "x.png")
    np.save(tmp_path / "short.npy", np.zeros((2, 3), np.float32))
    with pytest.raises(BadInput, match="rows of 8"):
        decode(coder, tmp_path / "short.npy", tmp_path / "x.png")
    (tmp_path / "bad.npy").write_bytes(b"nonsense")
    with pytest.raises(BadInput, match="cannot be read as codes"):
        decode(coder, tmp_path / "bad.npy", tmp_path / "x.png")
    assert not (tmp_path / "x.png").exists()
