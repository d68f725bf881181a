import io
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms, TiffImagePlugin

from impasto.data.color import _transform, to_resizable
from impasto.data.config import DataConfig
from impasto.data.decode import LARGEST_PICTURE, Undecodable, decode, develop
from impasto.data.sources.items import Unreadable

SIDE = 16
WHOLE = DataConfig(size=SIDE, crop="squash")
GREY = DataConfig(size=SIDE, crop="squash", channels=1)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def flat(mode: str, color: object, size: int = 40) -> Image.Image:
    return Image.new(mode, (size, size), color)


def color_of(content: bytes, config: DataConfig = WHOLE) -> list[int]:
    pixels = decode(content, config=config)
    assert pixels.shape == (SIDE, SIDE, config.channels)
    assert pixels.dtype == np.uint8
    assert np.ptp(pixels.reshape(-1, config.channels).astype(int), axis=0).max() <= 4
    return pixels[SIDE // 2, SIDE // 2].tolist()


def near(found: list[int], wanted: list[int], within: int = 2) -> bool:
    return all(abs(a - b) <= within for a, b in zip(found, wanted, strict=True))


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "BMP", "GIF", "TIFF", "JPEG"])
def test_each_format_keeps_its_colour(kind):
    assert near(color_of(saved(flat("RGB", (200, 60, 30)), kind)), [200, 60, 30], 4)


@pytest.mark.parametrize(
    ("mode", "color", "kind", "wanted"),
    [
        ("1", 1, "PNG", [255, 255, 255]),
        ("1", 0, "TIFF", [0, 0, 0]),
        ("L", 77, "PNG", [77, 77, 77]),
        ("L", 77, "JPEG", [77, 77, 77]),
        ("LA", (50, 255), "PNG", [50, 50, 50]),
        ("LA", (50, 0), "PNG", [255, 255, 255]),
        ("RGBA", (200, 60, 30, 255), "PNG", [200, 60, 30]),
        ("RGBA", (200, 60, 30, 0), "PNG", [255, 255, 255]),
        ("RGBA", (0, 0, 0, 128), "PNG", [127, 127, 127]),
        ("RGBA", (0, 0, 0, 128), "WEBP", [127, 127, 127]),
        ("RGBA", (0, 0, 0, 128), "TIFF", [127, 127, 127]),
        ("CMYK", (0, 255, 255, 0), "JPEG", [255, 0, 0]),
        ("CMYK", (255, 0, 0, 0), "TIFF", [0, 255, 255]),
        ("YCbCr", (128, 128, 128), "TIFF", [128, 128, 128]),
        ("I;16", 0x8080, "PNG", [128, 128, 128]),
        ("I;16", 0x8080, "TIFF", [128, 128, 128]),
        ("I;16", 65535, "PNG", [255, 255, 255]),
        ("I", 0x8080, "TIFF", [128, 128, 128]),
        ("F", 0.5, "TIFF", [128, 128, 128]),
        ("F", 65535.0, "TIFF", [255, 255, 255]),
    ],
)
def test_each_mode_becomes_srgb(mode, color, kind, wanted):
    assert near(color_of(saved(flat(mode, color), kind)), wanted)


def test_wide_grey_is_scaled_not_clipped():
    ramp = np.linspace(0, 65535, SIDE * SIDE).astype(np.uint16).reshape(SIDE, SIDE)
    for kind in ("PNG", "TIFF"):
        pixels = decode(saved(Image.fromarray(ramp), kind), config=GREY)[:, :, 0]
        assert np.abs(pixels - ramp / 257).max() <= 0.51


def test_negative_and_infinite_floats_are_scaled():
    values = np.full((SIDE, SIDE), -1.0, np.float32)
    values[:, SIDE // 2 :] = 1.0
    pixels = decode(saved(Image.fromarray(values), "TIFF"), config=GREY)[:, :, 0]
    assert pixels[:, 0].tolist() == [0] * SIDE
    assert pixels[:, -1].tolist() == [255] * SIDE
    values[0, 0] = np.inf
    assert decode(saved(Image.fromarray(values), "TIFF"), config=GREY).shape == (SIDE, SIDE, 1)


def sixteen_bit_rgb(color: tuple[int, int, int]) -> bytes:
    """A PNG of 16 bits a channel, which Pillow reads but does not write."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    row = b"\0" + struct.pack(">HHH", *color) * 20
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 20, 20, 16, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(row * 20))
        + chunk(b"IEND", b"")
    )


def test_sixteen_bit_rgb_is_scaled():
    assert near(color_of(sixteen_bit_rgb((0xFFFF, 0x8080, 0x0101))), [255, 128, 1])


def test_grey_comes_out_for_one_channel():
    assert color_of(saved(flat("RGB", (255, 0, 0)), "PNG"), GREY) == [76]
    assert near(color_of(saved(flat("RGB", (255, 0, 0)), "JPEG"), GREY), [76])
    on_black = DataConfig(size=SIDE, crop="squash", channels=1, background="#000000")
    assert color_of(saved(flat("LA", (200, 0)), "PNG"), on_black) == [0]


def test_transparency_shows_the_chosen_background():
    green = DataConfig(size=SIDE, crop="squash", background="#00ff00")
    assert color_of(saved(flat("RGBA", (255, 0, 0, 0)), "PNG"), green) == [0, 255, 0]


def test_transparent_colours_do_not_bleed_into_their_neighbours():
    image = flat("RGBA", (255, 0, 0, 0), 64)
    image.paste((0, 0, 255, 255), (0, 0, 32, 64))
    pixels = decode(saved(image, "PNG"), config=WHOLE).astype(int)
    assert (pixels[:, :, 0] - pixels[:, :, 1]).max() <= 1  # only white and blue mix: never red


def test_a_palette_with_transparency():
    image = flat("P", 0)
    image.putpalette([10, 200, 30, 0, 0, 255])
    assert near(color_of(saved(image, "PNG")), [10, 200, 30])
    assert near(color_of(saved(image, "PNG", transparency=0)), [255, 255, 255])
    assert near(color_of(saved(image, "GIF", transparency=0)), [255, 255, 255])
    assert near(color_of(saved(image, "PNG", transparency=bytes([128, 255]))), [132, 227, 142])
    assert near(
        color_of(saved(flat("RGB", (1, 2, 3)), "PNG", transparency=(1, 2, 3))), [255, 255, 255]
    )


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_only_the_first_frame_counts(kind):
    first, second = flat("RGB", (255, 0, 0)), flat("RGB", (0, 0, 255))
    content = saved(first, kind, save_all=True, append_images=[second])
    assert near(color_of(content), [255, 0, 0], 4)


def corners() -> Image.Image:
    """Red, green, blue and white quarters, wider than high."""
    image = Image.new("RGB", (64, 32), "white")
    image.paste("#ff0000", (0, 0, 32, 16))
    image.paste("#00ff00", (32, 0, 64, 16))
    image.paste("#0000ff", (0, 16, 32, 32))
    return image


UNTURN = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("crop", ["squash", "center", "pad"])
def test_pictures_come_out_upright(kind, orientation, crop):
    stored = corners().transpose(UNTURN[orientation]) if orientation in UNTURN else corners()
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 95} if kind in {"JPEG", "WEBP"} else {}
    content = saved(stored, kind, exif=exif, **options)
    config = DataConfig(size=SIDE, crop=crop)
    found = develop(content, config)
    wanted = decode(saved(corners(), "PNG"), config=config)
    assert (found.width, found.height) == (64, 32)
    pixels = found.cuts[0].pixels
    assert np.abs(pixels.astype(int) - wanted).mean() < 12
    assert pixels[5, 3].argmax() == wanted[5, 3].argmax()


def test_broken_metadata_does_not_cost_the_picture():
    content = saved(
        flat("RGB", (200, 60, 30)), "JPEG", exif=b"Exif\0\0MM\0*garbage that is no directory"
    )
    assert near(color_of(content), [200, 60, 30], 4)
    content = saved(flat("RGB", (200, 60, 30)), "PNG", icc_profile=b"not a profile at all")
    assert near(color_of(content), [200, 60, 30])


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def swapped_profile() -> bytes:
    """A profile whose red primary is sRGB's blue one, and the other way round."""
    return (
        srgb_profile().replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ")
    )


def test_srgb_profiles_change_nothing():
    for color in ((200, 60, 30), (1, 2, 3), (255, 255, 254)):
        assert color_of(saved(flat("RGB", color), "PNG", icc_profile=srgb_profile())) == list(color)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_profiles_are_converted_to_srgb(kind):
    content = saved(flat("RGB", (220, 30, 60)), kind, icc_profile=swapped_profile())
    assert near(color_of(content), [60, 30, 220], 6)


def test_profiles_reach_pictures_with_transparency_and_palettes():
    image = flat("RGBA", (220, 30, 60, 255))
    assert near(color_of(saved(image, "PNG", icc_profile=swapped_profile())), [60, 30, 220], 3)
    image.putalpha(0)
    assert color_of(saved(image, "PNG", icc_profile=swapped_profile())) == [255, 255, 255]
    palette = flat("P", 0)
    palette.putpalette([220, 30, 60])
    assert near(color_of(saved(palette, "PNG", icc_profile=swapped_profile())), [60, 30, 220], 3)


def test_a_profile_that_does_not_fit_is_ignored():
    content = saved(flat("L", 90), "PNG", icc_profile=swapped_profile())
    assert color_of(content) == [90, 90, 90]
    content = saved(flat("CMYK", (0, 255, 255, 0)), "TIFF", icc_profile=swapped_profile())
    assert near(color_of(content), [255, 0, 0])


def test_lab_becomes_srgb():
    red = Image.new("LAB", (40, 40), (136, 208, 195))  # L* 53, a* 80, b* 67: sRGB's red
    assert near(color_of(saved(red, "TIFF")), [255, 0, 0], 12)
    middle = Image.new("LAB", (40, 40), (137, 128, 128))
    assert near(color_of(saved(middle, "TIFF")), [128, 128, 128], 3)


def cuts(content, config):
    return develop(content, config).cuts


def test_crops_keep_what_they_should(encoded):
    image = Image.new("RGB", (60, 20), "#00ff00")
    image.paste("#ff0000", (0, 0, 20, 20))
    image.paste("#0000ff", (40, 0, 60, 20))
    content = saved(image, "PNG")
    (center,) = cuts(content, DataConfig(size=SIDE, crop="center"))
    assert center.box == (20, 0, 40, 20)
    assert near(center.pixels[:, 3:-3].mean((0, 1)).tolist(), [0, 255, 0])
    squash = decode(content, config=WHOLE)
    assert squash[8, [1, 8, 14]].argmax(axis=1).tolist() == [0, 1, 2]
    pad = decode(content, config=DataConfig(size=SIDE, crop="pad", background="#000000"))
    assert (pad[0] == 0).all()
    assert pad[8, [1, 8, 14]].argmax(axis=1).tolist() == [0, 1, 2]
    (small,) = cuts(content, DataConfig(size=SIDE, crop="center", crop_pixels=10))
    assert small.box == (25, 5, 35, 15)
    (margin,) = cuts(content, DataConfig(size=SIDE, crop="random"))
    assert margin.box == (19, 0, 41, 20)
    assert margin.pixels.shape == (18, 18, 3)


def test_close_to_resizing_in_full(shared):
    """Decoding at a fraction of the size costs less than one level on real photographs."""
    for path in sorted((shared / "data" / "style").glob("content_*")):
        image = Image.open(path).convert("RGB")
        plain = np.asarray(image.resize((64, 64), Image.Resampling.LANCZOS)).astype(int)
        found = decode(path, config=DataConfig(size=64, crop="squash"))
        assert np.abs(found - plain).mean() < 1


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF"])
def test_half_a_file_is_damaged(kind, picture):
    content = saved(picture(0, width=90, height=80), kind)
    with pytest.raises(Undecodable, match=r"damaged|not a picture"):
        decode(content[: len(content) // 2], config=WHOLE)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty file"),
        (b"just some words", "not a picture: none of JPEG, PNG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a picture"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "not a picture: HEIC; convert it to JPEG"),
        (b"\0\0\0\x18ftypisom\0\0\0\0mp41", "not a picture: a video"),
        (b"%PDF-1.7\n", "not a picture: a PDF; convert"),
        (b"\n<!DOCTYPE html><html>404", "not a picture: a web page"),
        (b"<?xml version='1.0'?><svg/>", "not a picture: an SVG drawing"),
        (b"\xff\xd8\xff\xe0 and no more", "damaged"),
        (
            b"II*\0\x08\0\0\0\0\0",
            "damaged: TIFF of a kind that is not decoded, or with a broken header",
        ),
    ],
)
def test_what_is_not_a_picture_says_so(content, reason):
    with pytest.raises(Undecodable, match=reason):
        decode(content, config=WHOLE)


def test_bombs_are_refused_before_decoding():
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + header
    bomb += struct.pack(">I", zlib.crc32(b"IHDR" + header))
    bomb += struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
    with pytest.raises(Undecodable, match="too large: 3,600,000,000 pixels, at most 150,000,000"):
        decode(bomb, config=WHOLE)
    large = int((LARGEST_PICTURE * 1.1) ** 0.5)
    header = b"BM" + struct.pack("<IHHI", 54, 0, 0, 54)
    header += struct.pack("<IiiHHIIiiII", 40, large, large, 1, 24, 0, 0, 0, 0, 0, 0)
    with pytest.raises(
        Undecodable, match=f"too large: {large} x {large} pixels, at most 150,000,000"
    ):
        decode(header, config=WHOLE)


@pytest.mark.parametrize("kind", ["WEBP", "AVIF", "JPEG2000"])
def test_decoders_that_copy_get_smaller_pictures(kind, monkeypatch):
    content = saved(flat("RGB", "red"), kind)
    monkeypatch.setattr("impasto.data.decode.LARGEST_COPIED", 40 * 40)
    assert decode(content, config=WHOLE).shape == (SIDE, SIDE, 3)
    monkeypatch.setattr("impasto.data.decode.LARGEST_COPIED", 40 * 40 - 1)
    with pytest.raises(Undecodable, match=f"40 x 40 pixels, at most 1,599 are decoded of a {kind}"):
        decode(content, config=WHOLE)


def test_memory_that_is_not_there_is_no_damage(monkeypatch):
    def load(_):
        raise MemoryError

    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", load)
    with pytest.raises(Undecodable, match="too large: there is not enough memory"):
        decode(saved(flat("RGB", "red"), "PNG"), config=WHOLE)


@pytest.mark.parametrize("mode", ["I;16", "I;16B", "I", "F", "LA", "RGBA", "P"])
def test_pictures_are_brought_to_eight_bits_strip_by_strip(mode, monkeypatch):
    rng = np.random.default_rng(3)
    if mode in {"I", "F"}:
        image = Image.fromarray(rng.normal(0, 500, (40, 30)).astype("i4" if mode == "I" else "f4"))
    else:
        width = {"I;16": 2, "I;16B": 2, "LA": 2, "RGBA": 4}.get(mode, 1)
        image = Image.frombytes(mode, (30, 40), rng.bytes(1200 * width))
    if mode == "P":
        image.putpalette(rng.bytes(768))
        image.info["transparency"] = 7
    whole = np.asarray(to_resizable(image))
    monkeypatch.setattr("impasto.data.color._STRIP", 30 * 7)
    assert np.array_equal(np.asarray(to_resizable(image)), whole)
    assert np.ptp(whole.astype(int)) > 200


def test_a_profile_of_any_size_does_not_stay_in_memory():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes() + bytes(5 * 2**20)
    before = _transform.cache_info().currsize
    decode(saved(flat("RGB", "red"), "TIFF", icc_profile=profile), config=WHOLE)
    assert _transform.cache_info().currsize == before


def test_files_that_cannot_be_read(tmp_path, monkeypatch):
    with pytest.raises(Undecodable, match="cannot be read: No such file"):
        decode(tmp_path / "gone.png", config=WHOLE)
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(Undecodable, match="not an ordinary file"):
        decode(tmp_path / "pipe.png", config=WHOLE)
    with pytest.raises(Undecodable, match="cannot be read: encrypted"):
        decode(Unreadable("encrypted in the archive"), config=WHOLE)
    with pytest.raises(Undecodable, match="too large: really"):
        decode(Unreadable("really", "too large"), config=WHOLE)
    (tmp_path / "a.png").write_bytes(b"x" * 100)
    monkeypatch.setattr("impasto.data.decode.LARGEST_FILE", 99)
    with pytest.raises(Undecodable, match="too large: a file of more than"):
        decode(tmp_path / "a.png", config=WHOLE)


def test_arrays_are_cropped_and_resized_too():
    grey = np.full((8, 6, 1), 90, np.uint8)
    assert decode(grey, config=WHOLE).tolist() == np.full((SIDE, SIDE, 3), 90).tolist()
    exact = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    assert np.array_equal(decode(exact, config=WHOLE), exact)


def test_extreme_shapes_survive():
    for size in ((1, 1), (1, 500), (3000, 2)):
        for crop in ("center", "squash", "pad", "random"):
            content = saved(Image.new("RGB", size, (9, 9, 9)), "PNG")
            config = DataConfig(size=SIDE, crop=crop, background="#090909")
            assert (decode(content, config=config) == 9).all()


def test_a_tiff_without_pixels_is_damaged():
    directory = TiffImagePlugin.ImageFileDirectory_v2()
    directory[256], directory[257] = 10, 10
    with pytest.raises(Undecodable):
        decode(b"II*\0\x08\0\0\0" + directory.tobytes(8), config=WHOLE)
