"""A picture comes back as its file held it: depth, opacity, profile, and the right way up."""

import io
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from impasto.data.original import Original, read_original, write_original
from impasto.errors import ConfigError, SourceError

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def ramp(kind=np.uint8, size=(12, 20)):
    drawn = np.random.default_rng(0).integers(0, np.iinfo(kind).max, (*size, 3), endpoint=True)
    return drawn.astype(kind)


def opacity(kind=np.uint8, size=(12, 20)):
    return np.linspace(0, np.iinfo(kind).max, size[0] * size[1]).reshape(size).astype(kind)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("seen_through", [False, True])
@pytest.mark.parametrize("profile", [None, SRGB])
def test_a_png_comes_back_to_the_bit(tmp_path, kind, seen_through, profile):
    given = Original(ramp(kind), opacity(kind) if seen_through else None, profile)
    write_original(given, tmp_path / "a.png")
    found = read_original(tmp_path / "a.png")
    assert found.levels.dtype == kind
    assert np.array_equal(found.levels, given.levels)
    assert found.profile == profile
    if seen_through:
        assert np.array_equal(found.opacity, given.opacity)
    else:
        assert found.opacity is None
    with Image.open(tmp_path / "a.png") as plain:  # and others read it as we do
        assert plain.info.get("icc_profile") == profile
        assert plain.mode == ("RGBA" if seen_through else "RGB")


def test_other_people_s_16_bits_are_read(tmp_path):
    deep = ramp(np.uint16)
    cv2.imwrite(str(tmp_path / "a.tif"), deep[..., ::-1])
    assert np.array_equal(read_original(tmp_path / "a.tif").levels, deep)
    cv2.imwrite(str(tmp_path / "grey.png"), deep[..., 0])
    found = read_original(tmp_path / "grey.png")
    assert np.array_equal(found.levels, np.repeat(deep[..., :1], 3, 2))


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_come_upright(tmp_path, orientation, deep):
    levels = ramp(np.uint16 if deep else np.uint8)
    path = tmp_path / "a.png"
    write_original(Original(levels), path)
    with Image.open(path) as plain:
        exif = plain.getexif()
        exif[0x0112] = orientation
        told = exif.tobytes()
    content = path.read_bytes()  # an eXIf chunk behind the header, whatever the depth
    body = b"eXIf" + told.removeprefix(b"Exif\0\0")
    chunk = (len(body) - 4).to_bytes(4, "big") + body + _crc(body)
    path.write_bytes(content[:33] + chunk + content[33:])
    found = read_original(path)
    assert found.levels.shape == ((20, 12, 3) if orientation > 4 else (12, 20, 3))
    if deep:  # OpenCV reads these: turned like the same picture with 8 bits
        write_original(Original((levels >> 8).astype(np.uint8)), tmp_path / "b.png")
        content = (tmp_path / "b.png").read_bytes()
        (tmp_path / "b.png").write_bytes(content[:33] + chunk + content[33:])
        wanted = read_original(tmp_path / "b.png").levels
        assert np.array_equal((found.levels >> 8).astype(np.uint8), wanted)
    else:
        with Image.open(path) as plain:
            assert np.array_equal(found.levels, np.asarray(ImageOps.exif_transpose(plain)))


def _crc(body):
    return zlib.crc32(body).to_bytes(4, "big")


def test_a_jpeg_shows_white_through(tmp_path):
    given = Original(np.zeros((16, 16, 3), np.uint8), np.zeros((16, 16), np.uint8))
    write_original(given, tmp_path / "a.jpg")
    found = read_original(tmp_path / "a.jpg")
    assert found.opacity is None
    assert found.levels.min() >= 250


def test_another_rgb_is_brought_into_the_first_one_s(tmp_path):
    """A profile that calls sRGB's red `blue`: the numbers change, the colours stay."""
    levels = np.zeros((4, 4, 3), np.uint8)
    levels[..., 0] = 200
    write_original(Original(levels), tmp_path / "a.png")
    same = read_original(tmp_path / "a.png", into=SRGB)
    assert np.abs(same.levels.astype(int) - levels).max() <= 1
    assert same.profile == SRGB
    unusable = read_original(tmp_path / "a.png", into=b"no profile")
    assert np.array_equal(unusable.levels, levels)


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "1", "LA", "I;16"])
def test_any_kind_of_picture_becomes_rgb(tmp_path, mode):
    shown = Image.fromarray(ramp()[..., 0])
    shown = shown.convert(mode) if mode != "I;16" else Image.fromarray(ramp(np.uint16)[..., 0])
    name = "a.tif" if mode == "CMYK" else "a.png"
    shown.save(tmp_path / name)
    assert read_original(tmp_path / name).levels.shape == (12, 20, 3)


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_what_is_no_picture_is_named(tmp_path, content):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(SourceError, match=r"a\.png: .*; give a picture"):
        read_original(tmp_path / "a.png")


def test_a_picture_that_is_cut_short_is_named(tmp_path):
    for kind in (np.uint8, np.uint16):
        write_original(Original(ramp(kind, (200, 200))), tmp_path / "a.png")
        content = (tmp_path / "a.png").read_bytes()
        (tmp_path / "a.png").write_bytes(content[: len(content) // 2])
        with pytest.raises(SourceError, match=r"a\.png: damaged"):
            read_original(tmp_path / "a.png")


def test_only_formats_that_are_known_are_written(tmp_path):
    with pytest.raises(ConfigError, match=r"a\.gif: pictures are written as \.png"):
        write_original(Original(ramp()), tmp_path / "a.gif")
    assert not list(tmp_path.iterdir())


def test_webp_keeps_what_is_transparent(tmp_path):
    write_original(Original(ramp(), opacity()), tmp_path / "a.webp")
    buffer = io.BytesIO((tmp_path / "a.webp").read_bytes())
    with Image.open(buffer) as plain:
        assert plain.mode == "RGBA"
    assert np.array_equal(read_original(tmp_path / "a.webp").opacity, opacity())
