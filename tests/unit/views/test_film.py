import sys

import numpy as np
import pytest
from PIL import Image

from impasto.errors import BadInput
from impasto.sheets import write_png
from impasto.views.film import MOST_FRAMES, NARROWEST, WIDEST, make_film, thin


@pytest.fixture
def frames(tmp_path):
    def draw(count, side=NARROWEST):
        rows, columns = np.mgrid[0:side, 0:side] * 255 // side
        paths = []
        for index in range(count):
            level = np.full((side, side), 255 * index // max(1, count - 1))
            path = tmp_path / f"{index:05}.png"
            write_png(np.stack([rows, columns, level], axis=2).astype(np.uint8), path)
            paths.append(path)
        return paths

    return draw


def pixels(image):
    return np.asarray(image.convert("RGB")).astype(float)


@pytest.mark.parametrize(("suffix", "error"), [(".webp", 4), (".gif", 12)])
def test_an_animation_shows_every_frame_and_rests_on_the_last(frames, tmp_path, suffix, error):
    paths, film = frames(7), tmp_path / f"film{suffix}"
    make_film(paths, film, seconds=4)
    with Image.open(film) as shown:
        durations = []
        assert shown.n_frames == 7
        for index in range(7):
            shown.seek(index)
            last = pixels(shown)
            durations.append(shown.info["duration"])
        assert shown.info["loop"] == 0
    assert np.abs(last - pixels(Image.open(paths[-1]))).mean() < error
    assert durations == [500] * 6 + [1000]


def test_mp4_decodes_back(frames, tmp_path):
    av = pytest.importorskip("av")
    paths, film = frames(7, side=401), tmp_path / "film.mp4"
    make_film(paths, film, seconds=4)
    with av.open(str(film)) as container:
        shown = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        rate = container.streams.video[0].average_rate
    assert rate == 2
    assert len(shown) == 6 + 2
    assert shown[0].shape == (400, 400, 3)
    for index, frame in [(0, shown[0]), (3, shown[3]), (6, shown[-1])]:
        expected = pixels(Image.open(paths[index]))[:400, :400]
        assert np.abs(frame - expected).mean() < 6


def test_mp4_without_its_extra_says_how_to_get_it(frames, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(BadInput, match=r"pip install 'impasto\[video\]'"):
        make_film(frames(2), tmp_path / "film.mp4")
    assert not list(tmp_path.glob("*.mp4"))


def test_a_long_run_is_thinned_evenly_with_both_ends_kept(tmp_path):
    paths = [tmp_path / str(index) for index in range(1000)]
    kept = [int(path.name) for path in thin(paths, MOST_FRAMES)]
    assert len(kept) == MOST_FRAMES
    assert (kept[0], kept[-1]) == (0, 999)
    assert set(np.diff(kept)) <= {16, 17}
    assert thin(paths, 1) == paths[-1:]
    assert thin(paths[:3], 60) == paths[:3]


def test_one_frame_is_a_film_too(frames, tmp_path):
    for suffix in (".webp", ".gif", ".mp4"):
        make_film(frames(1), tmp_path / f"film{suffix}")
        assert (tmp_path / f"film{suffix}").stat().st_size > 0


def test_frames_are_given_up_until_the_film_fits(tmp_path):
    rng = np.random.default_rng(0)
    paths = [tmp_path / f"{index}.png" for index in range(12)]
    for path in paths:
        write_png(rng.integers(0, 256, (400, 400, 3), dtype=np.uint8), path)
    film = tmp_path / "film.webp"
    make_film(paths, film)
    most = film.stat().st_size // 3
    make_film(paths, film, most_bytes=most)
    assert film.stat().st_size <= most
    with Image.open(film) as shown:
        assert 1 < shown.n_frames <= 4


@pytest.mark.parametrize(("side", "width"), [(1000, WIDEST), (90, 450), (400, 400)])
def test_frames_are_of_a_comfortable_size(frames, tmp_path, side, width):
    film = tmp_path / "film.webp"
    make_film(frames(2, side=side), film)
    with Image.open(film) as shown:
        assert shown.size == (width, width)


def test_frames_of_other_sizes_follow_the_last(frames, tmp_path):
    first = frames(1, side=100)[0].rename(tmp_path / "first.png")
    film = tmp_path / "film.webp"
    make_film([first, *frames(3)[1:]], film)  # like frames would be merged
    with Image.open(film) as shown:
        assert shown.size == (NARROWEST, NARROWEST)
        assert shown.n_frames == 3


@pytest.mark.parametrize("name", ["film.avi", "film"])
def test_an_unknown_kind_names_the_known_ones(frames, tmp_path, name):
    with pytest.raises(BadInput, match=r"known: \.webp, \.gif, \.mp4"):
        make_film(frames(1), tmp_path / name)


def test_no_frames_are_no_film(tmp_path):
    with pytest.raises(BadInput, match="train a little longer"):
        make_film([], tmp_path / "film.webp")


@pytest.mark.parametrize("suffix", [".webp", ".gif", ".mp4"])
@pytest.mark.parametrize("content", [b"not a picture", None, "half"])
def test_a_broken_frame_is_named_and_the_old_film_kept(frames, tmp_path, suffix, content):
    paths, film = frames(3), tmp_path / f"film{suffix}"
    make_film(paths, film)
    before = film.read_bytes()
    if content is None:
        paths[1].unlink()
    else:
        whole = paths[1].read_bytes()
        paths[1].write_bytes(whole[: len(whole) // 2] if content == "half" else content)
    with pytest.raises(BadInput, match=paths[1].name):
        make_film(paths, film)
    assert film.read_bytes() == before
    assert not list(tmp_path.glob(".*"))
