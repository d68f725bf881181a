import io

import numpy as np
import torch
from PIL import Image

from impasto.images import to_centred, to_float, to_uint8
from impasto.sheets import encode_png, tile, write_png


def test_every_level_survives_the_way_there_and_back():
    levels = torch.arange(256, dtype=torch.uint8).view(1, 16, 16, 1)
    assert torch.equal(to_uint8(to_float(levels)), levels)


def test_range_and_layout():
    images = torch.tensor([0, 255], dtype=torch.uint8).view(1, 1, 2, 1).expand(1, 1, 2, 3)
    floats = to_float(images.contiguous())
    assert floats.shape == (1, 3, 1, 2)
    assert floats.unique().tolist() == [-1, 1]
    assert floats.is_contiguous(memory_format=torch.channels_last)


def test_centred_pixels_are_exact():
    levels = torch.tensor([0, 1, 64, 128, 255], dtype=torch.uint8).view(1, 1, 5, 1)
    assert to_centred(levels).flatten().tolist() == [-1, -127 / 128, -0.5, 0, 127 / 128]


def test_values_outside_are_clipped_and_between_rounded():
    values = torch.tensor([-5.0, 5.0, 0.001]).view(1, 1, 1, 3)
    assert to_uint8(values).flatten().tolist() == [0, 255, 128]


def test_tile_puts_pictures_row_by_row():
    images = np.arange(3, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 3), np.uint8)
    sheet = tile(images, gap=1)
    assert sheet.shape == (7, 7, 3)
    assert sheet[1, 1, 0] == 0
    assert sheet[1, 4, 0] == 1
    assert sheet[4, 1, 0] == 2
    assert sheet[4, 4, 0] == 255  # no fourth picture
    assert sheet[0, 0, 0] == 255  # the gap


def test_png_keeps_every_pixel(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(encode_png(image)))), image)
    write_png(image[:, :, :1], tmp_path / "grey.png")
    with Image.open(tmp_path / "grey.png") as grey:
        assert grey.mode == "L"
        assert np.array_equal(np.asarray(grey), image[:, :, 0])
    assert [path.name for path in tmp_path.iterdir()] == ["grey.png"]
