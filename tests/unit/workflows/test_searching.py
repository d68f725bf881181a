"""Indexes of pictures: what is found, what is not looked at twice, and how well likeness is told."""

import numpy as np
import pytest
from PIL import Image
from small import KITTENS as SOURCE

from impasto.errors import BadInput
from impasto.workflows.reading import names_of, opened, pictures
from impasto.workflows.searching import altered, index, search


@pytest.fixture(scope="module")
def found(coder, tmp_path_factory):
    path = tmp_path_factory.mktemp("index") / "kittens.index"
    return path, index(SOURCE, path, model=coder)


def test_a_picture_of_the_index_finds_itself_first(found, coder, kitten, tmp_path):
    path, told = found
    assert (told.pictures, told.added, told.removed, told.dimensions) == (80, 80, 0, 8)
    matches = search(path, kitten, count=5, to=tmp_path / "found.png")
    assert len(matches) == 5
    assert matches[0].name == names_of(pictures(SOURCE, opened(coder).data))[3]
    assert matches[0].likeness == pytest.approx(1, abs=0.02)
    likeness = [match.likeness for match in matches]
    assert likeness == sorted(likeness, reverse=True)
    with Image.open(tmp_path / "found.png") as sheet:
        assert sheet.size == (3 * 18 + 2, 2 * 18 + 2)


def test_only_new_pictures_are_looked_at_and_those_gone_are_forgotten(coder, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    drawn = np.random.default_rng(0)
    for place in range(6):
        Image.fromarray(drawn.integers(0, 255, (20, 20, 3), np.uint8)).save(folder / f"{place}.png")
    path = tmp_path / "some.index"
    assert index(folder, path, model=coder).added == 6
    Image.fromarray(drawn.integers(0, 255, (20, 20, 3), np.uint8)).save(folder / "new.png")
    (folder / "0.png").unlink()
    again = index(folder, path, model=coder)
    assert (again.pictures, again.added, again.removed) == (6, 1, 1)
    names = [match.name for match in search(path, folder / "new.png", count=99)]
    assert names[0] == "new.png"
    assert "0.png" not in names


def test_recall_is_told_for_labels_or_for_altered_copies(found, coder, tmp_path):
    _, told = found
    assert "own latents" in told.recalls
    assert all(0 <= value <= 1 for value in told.recalls.values())
    assert "among the 10 nearest" in told.truth
    plain = index("kittens:30", tmp_path / "random.index", extractor="random")
    assert set(plain.recalls) == {"random"}


def test_altered_copies_are_mirrored_cut_and_darker():
    images = np.full((2, 20, 20, 3), 200, np.uint8)
    images[:, :, :5] = 100
    copies = altered(images)
    assert copies.shape == images.shape
    assert copies[0, 10, 0, 0] == 160
    assert copies[0, 10, -1, 0] == 80


def test_another_models_index_is_not_mixed_with_ones_own(found, drawer, kitten, tmp_path):
    path, _ = found
    with pytest.raises(BadInput, match="made by another model"):
        index(SOURCE, path, extractor="random")
    with pytest.raises(BadInput, match="and not both"):
        index(SOURCE, tmp_path / "x", model=drawer, extractor="random")
    with pytest.raises(BadInput, match="does not read them"):
        index(SOURCE, tmp_path / "x", model=drawer)
    with pytest.raises(BadInput, match="no such index"):
        search(tmp_path / "none", kitten)
    with pytest.raises(BadInput, match="above zero"):
        search(path, kitten, count=0)
    with pytest.raises(BadInput, match="not an index"):
        search(drawer / "model.safetensors", kitten)
