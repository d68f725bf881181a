"""Indexes of pictures: what is found, what is not looked at twice, and how well likeness is told."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from small import KITTENS as SOURCE

import impasto
from impasto.errors import BadInput
from impasto.workflows import searching
from impasto.workflows.reading import names_of, opened, pictures
from impasto.workflows.review import Review
from impasto.workflows.searching import altered, eye_of, index, search


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


def test_to_a_model_of_mirrored_pictures_a_picture_is_its_mirror_image(coder, monkeypatch):
    images = pictures(SOURCE, opened(coder).data).images(np.arange(4))
    plain = eye_of(coder, None).see(images)
    assert not np.allclose(plain, eye_of(coder, None).see(images[:, :, ::-1].copy()), atol=0.1)

    def mirroring(path):
        model = opened(path)
        return replace(model, data=replace(model.data, flip=True))

    monkeypatch.setattr(searching, "opened", mirroring)
    seen, mirrored = (eye_of(coder, None).see(each) for each in (images, images[:, :, ::-1].copy()))
    np.testing.assert_allclose(seen, mirrored, atol=1e-4)


def test_altered_copies_are_cut_darker_and_mirrored_where_they_may_be():
    images = np.full((2, 20, 20, 3), 200, np.uint8)
    images[:, :, :5] = 100
    for mirrored in (False, True):
        copies = altered(images, mirrored=mirrored)
        assert copies.shape == images.shape
        left, right = copies[0, 10, [0, -1], 0]
        assert (left, right) == ((160, 80) if mirrored else (80, 160))


@pytest.mark.parametrize("seed", range(6))
def test_a_damaged_index_is_told_and_kept(found, kitten, tmp_path, seed):
    content = bytearray(found[0].read_bytes())
    drawn = np.random.default_rng(seed)
    if seed % 2:
        content = content[: drawn.integers(len(content))]
    else:
        content[drawn.integers(len(content))] ^= 1 << int(drawn.integers(8))
    damaged = tmp_path / "damaged.index"
    damaged.write_bytes(content)
    with pytest.raises(BadInput, match=r"damaged\.index"):
        search(damaged, kitten)
    assert damaged.read_bytes() == content


def test_an_index_finds_its_model_where_it_was_seen_last(coder, kitten, tmp_path, monkeypatch):
    moved = tmp_path / "moved.safetensors"
    first = tmp_path / "first.safetensors"
    first.write_bytes((coder / "model.safetensors").read_bytes())
    index("kittens:12", tmp_path / "x.index", model=first)
    plain = search(tmp_path / "x.index", kitten)
    first.rename(moved)
    monkeypatch.setenv("IMPASTO_CACHE", str(tmp_path / "cache"))
    with pytest.raises(BadInput, match="name it with --model"):
        search(tmp_path / "x.index", kitten)
    assert search(tmp_path / "x.index", kitten, model=moved) == plain
    index("kittens:4", tmp_path / "y.index", model=moved)  # now it is remembered
    assert search(tmp_path / "x.index", kitten) == plain
    with pytest.raises(BadInput, match="another model"):
        search(tmp_path / "x.index", kitten, extractor="random")


def test_a_picture_that_was_rejected_since_is_not_drawn_as_another(coder, kitten, tmp_path):
    prepared = impasto.prepare("kittens:9", tmp_path / "set", size=16)
    index(prepared.path, tmp_path / "x.index", model=coder)
    target = tmp_path / "found.png"
    search(tmp_path / "x.index", kitten, count=9, to=target)
    before = target.read_bytes()
    with Review.open(prepared.path) as review:
        review.decide([prepared.slots(np.arange(9)).tolist()[0]], keep=False)
    with pytest.raises(BadInput, match="are not there any more"):
        search(tmp_path / "x.index", kitten, count=9, to=target)
    assert target.read_bytes() == before


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
