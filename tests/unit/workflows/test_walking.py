"""Moving among latents: strips, films, changes, and the latents of a picture."""

import numpy as np
import pytest
from PIL import Image

from impasto.errors import BadInput
from impasto.workflows.editing import edit
from impasto.workflows.reading import opened
from impasto.workflows.walking import interpolate, invert

SIDE, GAP = 16, 2
MANY = "kittens:300"  # so that each value is seen often enough


def cell(sheet, row, column):
    start = GAP + np.array([row, column]) * (SIDE + GAP)
    return np.asarray(sheet)[start[0] : start[0] + SIDE, start[1] : start[1] + SIDE]


def test_a_strip_begins_and_ends_with_the_pictures_of_its_seeds(drawer, tmp_path):
    path = interpolate(drawer, tmp_path / "walk.png", seeds=(1, 2, 3), steps=5)
    with Image.open(path) as sheet:
        assert sheet.size == (5 * (SIDE + GAP) + GAP, 2 * (SIDE + GAP) + GAP)
        model = opened(drawer).model
        stations = [model.sample(1, seed)[0] for seed in (1, 2, 3)]
        for (row, column), station in zip([(0, 0), (0, 4), (1, 4)], stations, strict=True):
            assert np.abs(cell(sheet, row, column).astype(int) - station).max() <= 1


def test_between_pictures_of_an_autoencoder_and_as_a_film(coder, kitten, tmp_path):
    path = interpolate(coder, tmp_path / "walk.webp", between=(kitten, kitten), steps=4)
    with Image.open(path) as film:
        assert film.n_frames >= 1
    strip = interpolate(coder, tmp_path / "walk.png", between=(kitten, kitten), steps=3)
    with Image.open(strip) as sheet:
        assert (cell(sheet, 0, 0) == cell(sheet, 0, 2)).all()


def test_latents_that_are_looked_for_draw_a_picture_better_than_any_start(drawer, kitten, tmp_path):
    before = invert(drawer, kitten, tmp_path / "z.npy", steps=0)
    after = invert(drawer, kitten, tmp_path / "z.npy", steps=100)
    assert after.error < 0.95 * before.error
    assert np.load(tmp_path / "z.npy").shape == (1, opened(drawer).model.latents)


def test_an_autoencoder_starts_from_what_it_says_itself(coder, kitten, tmp_path):
    found = invert(coder, kitten, tmp_path / "both.png", steps=20)
    begun = invert(coder, kitten, tmp_path / "both.png", steps=0)
    assert found.error <= begun.error
    with Image.open(tmp_path / "both.png") as sheet:
        assert sheet.size == (2 * (SIDE + GAP) + GAP, SIDE + 2 * GAP)


def test_a_change_moves_pictures_and_none_leaves_them(coder, kitten, tmp_path):
    path = edit(
        coder, tmp_path / "edit.png", change=["fur1:2", "eyes2"], labelled=MANY, edited=[kitten]
    )
    with Image.open(path) as sheet:
        assert sheet.size == (SIDE + 2 * GAP, 2 * (SIDE + GAP) + GAP)
        assert (cell(sheet, 0, 0) != cell(sheet, 1, 0)).any()
    still = edit(coder, tmp_path / "still.png", change=["fur1:0"], labelled=MANY, edited=[kitten])
    with Image.open(still) as sheet:
        assert (cell(sheet, 0, 0) == cell(sheet, 1, 0)).all()


def test_a_number_moves_pictures_the_way_it_goes(coder, kitten, tmp_path):
    folder = tmp_path / "toned"
    folder.mkdir()
    rows = ["file,tone"]
    for place in range(40):
        level = 40 + 4 * place
        grain = np.random.default_rng(place).integers(0, 20, (SIDE, SIDE, 3))
        Image.fromarray((level + grain).astype(np.uint8)).save(folder / f"{place}.png")
        rows.append(f"{place}.png,{level}")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    path = edit(
        coder, tmp_path / "edit.png", change=["tone:3"], labelled=folder, edited=[kitten, kitten]
    )
    with Image.open(path) as sheet:
        moved = [cell(sheet, 1, place) for place in range(2)]
        assert (moved[0] == moved[1]).all()
        assert (moved[0] != cell(sheet, 0, 0)).any()


def test_a_gans_pictures_are_changed_by_what_a_classifier_sees(drawer, tmp_path):
    path = edit(
        drawer,
        tmp_path / "edit.png",
        change=["fur1:2"],
        labelled=MANY,
        seeds=(1, 2),
        extractor="random",
    )
    with Image.open(path) as sheet:
        assert (cell(sheet, 0, 0) != cell(sheet, 1, 0)).any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seeds": (1,)}, "two or more"),
        ({"seeds": (1, 2), "between": ("a.png", "b.png")}, "two or more"),
        ({"seeds": (1, 2), "steps": 1}, "at least 2"),
        ({"seeds": (1, -2)}, "must not be negative"),
        ({"between": ("a.png", "b.png")}, "no such picture"),
        ({"seeds": (1, 2), "condition": ("blue",)}, "draws without conditions"),
    ],
)
def test_what_cannot_be_drawn_is_told(drawer, tmp_path, options, message):
    with pytest.raises(BadInput, match=message):
        interpolate(drawer, tmp_path / "x.png", **options)
    assert not (tmp_path / "x.png").exists()


def test_an_attribute_that_there_is_not_is_told_with_those_that_there_are(coder, kitten, tmp_path):
    with pytest.raises(BadInput, match=r"smile.*no such attribute"):
        edit(coder, tmp_path / "x.png", change=["smile"], labelled=MANY, edited=[kitten])
    with pytest.raises(BadInput, match="is no strength"):
        edit(coder, tmp_path / "x.png", change=["fur=1:much"], labelled=MANY, edited=[kitten])
