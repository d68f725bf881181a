"""Small folders and archives of pictures."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def picture():
    """Makes a picture that differs for each number."""

    def make(number: int, width: int = 20, height: int = 16) -> Image.Image:
        pixels = np.random.default_rng(number).integers(0, 256, (height, width, 3), dtype=np.uint8)
        return Image.fromarray(pixels)

    return make


@pytest.fixture
def encoded(picture):
    """Makes the bytes of a picture's file."""

    def make(number: int, kind: str = "PNG", **shape: int) -> bytes:
        buffer = io.BytesIO()
        picture(number, **shape).save(buffer, kind)
        return buffer.getvalue()

    return make


@pytest.fixture
def folder(tmp_path: Path, encoded):
    """Makes a folder of small pictures with the given names."""

    def make(*names: str, root: str = "pictures") -> Path:
        for number, name in enumerate(names):
            path = tmp_path / root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encoded(number))
        return tmp_path / root

    return make
