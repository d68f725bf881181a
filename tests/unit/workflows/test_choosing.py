import numpy as np
import pytest
from PIL import Image

from impasto.data.config import DataConfig
from impasto.data.prepare import prepare
from impasto.errors import ConfigError
from impasto.workflows.choosing import choose
from impasto.workflows.training import train


def chosen(source):
    config, why = choose(source, DataConfig())
    assert why
    return config.name


def pictures(folder, count, side, mode="RGB"):
    folder.mkdir()
    for index in range(count):
        Image.new(mode, (side + 10, side), index % 256).save(folder / f"{index:04d}.bmp")
    return folder


@pytest.mark.parametrize(
    ("count", "side", "mode", "name"),
    [
        (5, 28, "L", "mnist-mlp"),
        (5, 32, "RGB", "frogs32"),
        (25, 96, "RGB", "anime96-few"),
        (300, 64, "RGB", "lfw64-gan"),
        (300, 200, "RGB", "cats96"),
    ],
)
def test_size_and_number_decide(tmp_path, count, side, mode, name):
    assert chosen(pictures(tmp_path / "pictures", count, side, mode)) == name


def test_kittens_have_their_own():
    assert chosen("kittens:10") == "kittens"


def test_a_prepared_set_is_taken_at_its_size(tmp_path):
    pictures(tmp_path / "pictures", 4, 40)
    prepare(tmp_path / "pictures", DataConfig(size=64), tmp_path / "set", workers=1)
    assert chosen(tmp_path / "set") == "lfw64-gan"
    prepare(tmp_path / "pictures", DataConfig(size=20), tmp_path / "odd", workers=1)
    with pytest.raises(ConfigError, match="20 pixels with 3 channels, which no recipe makes"):
        chosen(tmp_path / "odd")


def test_what_preparation_decided_is_not_decided_again(tmp_path):
    pictures(tmp_path / "pictures", 4, 64)
    prepare(tmp_path / "pictures", DataConfig(size=64), tmp_path / "set", workers=1)
    for options in (
        {"limit": 2},
        {"only": ("a*",)},
        {"classes": ("a",)},
        {"settings": ("data.crop=pad",)},
        {"settings": ("data.background='#000000'",)},
    ):
        with pytest.raises(ConfigError, match="prepared already, so data"):
            train(tmp_path / "set", recipe="lfw64-gan", to=tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()


def test_broken_pictures_do_not_stop_the_choice(tmp_path):
    folder = pictures(tmp_path / "pictures", 3, 32)
    (folder / "0000.bmp").write_bytes(b"BM")
    np.save(folder / "not.npy", np.zeros(3))
    assert chosen(folder) == "frogs32"
