"""Pictures that are odd and yet whole: every format, kind of pixels, shape and sort of metadata."""

import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from hostile.expectation import ANY, BROKEN, KEPT, Sample, ends
from hostile.formats import (
    bmp,
    bmp_rows,
    chunk,
    first_frame,
    noise,
    png,
    raw_tags,
    replaced,
    resized_jpeg,
    segment,
    tiff,
    with_segments,
)

SHAPES = ((1, 1), (2, 1), (1, 3), (17, 13), (40, 30), (300, 1), (1, 300), (1000, 3))
_KEPT = ends(KEPT)
AVIF = {"speed": 10, "max_threads": 1}


def picture(rng: np.random.Generator, mode: str, width: int, height: int) -> Image.Image:
    """A picture of noise in any of Pillow's modes."""
    bands = {
        "1": 1,
        "L": 1,
        "P": 1,
        "LA": 2,
        "PA": 2,
        "La": 2,
        "RGB": 3,
        "YCbCr": 3,
        "LAB": 3,
        "HSV": 3,
    }
    if mode == "F":
        return Image.fromarray(rng.normal(0, 9, (height, width)).astype(np.float32))
    if mode == "I":
        return Image.fromarray(rng.integers(-9, 70000, (height, width)).astype(np.int32))
    if mode.startswith("I;16"):
        return Image.frombytes(mode, (width, height), noise(rng, 2 * width * height))
    count = bands.get(mode, 4)
    if mode == "1":
        return Image.frombytes("1", (width, height), noise(rng, -(-width // 8) * height))
    image = Image.frombytes(mode, (width, height), noise(rng, count * width * height))
    if mode in {"P", "PA"}:
        image.putpalette(noise(rng, 768))
    return image


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """A picture in a format, as Pillow writes it."""
    buffer = io.BytesIO()
    image.copy().save(
        buffer, kind, **options
    )  # Pillow leaves settings of one format in the picture
    return buffer.getvalue()


def odd_pictures(rng: np.random.Generator) -> Iterator[Sample]:
    """Whole pictures of every kind; all are kept but the few of a kind that Pillow cannot read."""
    yield from _modes(rng)
    yield from _jpegs(rng)
    yield from _pngs(rng)
    yield from _bmps(rng)
    yield from _gifs(rng)
    yield from _tiffs(rng)
    yield from _plain(rng)
    yield from _webps(rng)
    yield from _avifs(rng)
    yield from _jpeg2000s(rng)


def _modes(rng: np.random.Generator) -> Iterator[Sample]:
    """Each mode that each format takes, in each shape."""
    taken = {
        "jpg": ("JPEG", ("L", "RGB", "CMYK"), {}),
        "png": ("PNG", ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"), {}),
        "bmp": ("BMP", ("1", "L", "P", "RGB", "RGBA"), {}),
        "gif": ("GIF", ("1", "L", "P", "RGB", "RGBA"), {}),
        "tif": (
            "TIFF",
            (
                "1",
                "L",
                "LA",
                "P",
                "PA",
                "RGB",
                "RGBA",
                "CMYK",
                "YCbCr",
                "LAB",
                "I",
                "I;16",
                "I;16B",
                "F",
            ),
            {},
        ),
        "ppm": ("PPM", ("1", "L", "RGB", "I;16"), {}),
        "pfm": ("PPM", ("F",), {}),
        "webp": ("WEBP", ("L", "RGB", "RGBA", "LA", "P"), {}),
        "jp2": ("JPEG2000", ("L", "LA", "RGB", "RGBA", "YCbCr", "I;16"), {}),
    }
    for extension, (kind, modes, options) in taken.items():
        for mode in modes:
            for width, height in SHAPES:
                data = encoded(picture(rng, mode, width, height), kind, **options)
                name = f"{mode.replace(';', '')}-{width}x{height}.{extension}"
                yield Sample(name, data, _KEPT)
    for mode in ("L", "RGB", "RGBA"):
        for width, height in ((1, 1), (17, 13), (300, 1)):
            data = encoded(picture(rng, mode, width, height), "AVIF", **AVIF)
            yield Sample(f"{mode}-{width}x{height}.avif", data, _KEPT)


def profile(space: str = "sRGB") -> bytes:
    """A small ICC profile."""
    made: bytes = ImageCms.ImageCmsProfile(ImageCms.createProfile(space)).tobytes()  # type: ignore[arg-type]
    return made[:24] + bytes(12) + made[36:]  # without the time of its making


def exif(orientation: object, order: str = "<") -> bytes:
    """EXIF with an orientation, as it stands in an APP1 segment."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    entry = struct.pack(f"{order}HHIH2x", 0x0112, 3, 1, orientation)
    return b"Exif\0\0" + mark + struct.pack(f"{order}IH", 8, 1) + entry + b"\0\0\0\0"


def broken_exif(rng: np.random.Generator) -> dict[str, bytes]:
    """EXIF that is wrong in one way each."""
    good = exif(6)
    entry = struct.pack("<HHIH2x", 0x0112, 3, 1, 6)
    head = b"Exif\0\0II*\0"
    return {
        "empty": b"Exif\0\0",
        "cut": good[:14],
        "cut in an entry": good[:-8],
        "no such order": b"Exif\0\0XX" + good[8:],
        "a directory that is its own next": good[:-4] + struct.pack("<I", 8),
        "a directory far away": head + struct.pack("<I", 0xFFFFFFF0),
        "a million entries": head + struct.pack("<IH", 8, 65535) + entry * 9,
        "orientation 0": exif(0),
        "orientation 9": exif(9),
        "orientation 65535": exif(65535),
        "orientation as text": head
        + struct.pack("<IHHHI4s", 8, 1, 0x0112, 2, 4, b"six\0")
        + b"\0" * 4,
        "orientation as fraction": head
        + struct.pack("<IHHHII", 8, 1, 0x0112, 5, 1, 26)
        + b"\0" * 16,
        "a count of four thousand million": head
        + struct.pack("<IHHHII", 8, 1, 0x0112, 3, 0xFFFFFFFF, 8)
        + b"\0" * 4,
        "sub-directory loop": head + struct.pack("<IHHHII", 8, 1, 0x8769, 4, 1, 8) + b"\0" * 4,
        "noise": head + noise(rng, 200),
    }


def _profiles(rng: np.random.Generator) -> dict[str, bytes]:
    good = profile()
    return {
        "srgb": good,
        "cut": good[: len(good) // 2],
        "of lab": profile("LAB"),
        "of xyz": profile("XYZ"),
        "noise": noise(rng, 400),
        "one byte": b"\0",
        "of nothing": b"\0" * 200,
        "huge count of tags": good[:128] + b"\xff\xff\xff\xff" + good[132:],
    }


def _jpegs(rng: np.random.Generator) -> Iterator[Sample]:
    image = picture(rng, "RGB", 40, 30)
    plain = encoded(image, "JPEG")
    variants: dict[str, bytes] = {
        "progressive": encoded(image, "JPEG", progressive=True),
        "optimized": encoded(image, "JPEG", optimize=True, quality=1),
        "best": encoded(image, "JPEG", quality=100, subsampling=0),
        "422": encoded(image, "JPEG", subsampling=1),
        "restarts": encoded(image, "JPEG", restart_marker_blocks=1),
        "restart rows": encoded(image, "JPEG", restart_marker_rows=1),
        "rgb inside": encoded(image, "JPEG", keep_rgb=True),
        "progressive grey": encoded(image.convert("L"), "JPEG", progressive=True),
        "progressive cmyk": encoded(image.convert("CMYK"), "JPEG", progressive=True),
        "no density": encoded(image, "JPEG", dpi=(0, 0)),
        "density 65535": encoded(image, "JPEG", dpi=(65535, 65535)),
        "long comment": encoded(image, "JPEG", comment=noise(rng, 65000)),
        "many comments": with_segments(plain, *[segment(0xFE, noise(rng, 9))] * 300),
        "every application": with_segments(
            plain, *(segment(0xE0 + n, noise(rng, 60)) for n in range(1, 16))
        ),
        "broken photoshop": with_segments(
            plain, segment(0xED, b"Photoshop 3.0\0" + noise(rng, 90))
        ),
        "broken adobe": with_segments(plain, segment(0xEE, b"Adobe" + noise(rng, 3))),
        "broken mpo": with_segments(plain, segment(0xE2, b"MPF\0" + noise(rng, 90))),
        "xmp": with_segments(
            plain, segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + b"<x>" * 9000)
        ),
        "long tail": plain + noise(rng, 5000),
        "two pictures": plain + plain,
        "a zip behind it": plain + b"PK\x03\x04" + noise(rng, 99),
        "fill bytes": plain[:2] + b"\xff" * 100 + plain[2:],
        "profile in two parts": with_segments(
            plain,
            segment(0xE2, b"ICC_PROFILE\0\x01\x02" + profile()[:200]),
            segment(0xE2, b"ICC_PROFILE\0\x02\x02" + profile()[200:]),
        ),
        "profile with a part missing": with_segments(
            plain, segment(0xE2, b"ICC_PROFILE\0\x02\x03" + profile())
        ),
    }
    variants |= {f"orientation {n}": encoded(image, "JPEG", exif=exif(n)) for n in range(1, 9)}
    variants |= {
        f"orientation {n}, other end": encoded(image, "JPEG", exif=exif(n, ">")) for n in (3, 6)
    }
    variants |= {
        f"exif {n}": with_segments(plain, segment(0xE1, d)) for n, d in broken_exif(rng).items()
    }
    for mode in ("L", "RGB", "CMYK"):
        for name, data in _profiles(rng).items():
            variants[f"{mode} profile {name}"] = encoded(
                image.convert(mode), "JPEG", icc_profile=data
            )
    yield from (Sample(f"{name}.jpg", data, _KEPT) for name, data in variants.items())
    mpo = encoded(image, "MPO", save_all=True, append_images=[picture(rng, "RGB", 40, 30)])
    yield Sample("two in one.mpo", mpo, _KEPT)
    # Twelve bits, arithmetic coding and lossless JPEG exist, but no decoder here knows them all.
    for marker, name in ((0xC3, "lossless"), (0xC9, "arithmetic"), (0xC5, "hierarchical")):
        at = plain.index(b"\xff\xc0")
        yield Sample(f"{name}.jpg", plain[:at] + bytes([0xFF, marker]) + plain[at + 2 :], ANY)
    at = plain.index(b"\xff\xc0") + 4
    yield Sample("twelve bits.jpg", plain[:at] + b"\x0c" + plain[at + 1 :], BROKEN)
    yield Sample("height in a later marker.jpg", resized_jpeg(plain, 40, 0), BROKEN)


def _pngs(rng: np.random.Generator) -> Iterator[Sample]:
    kinds = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
    for color, depths in kinds.items():
        for depth in depths:
            for interlaced in (False, True):
                for width, height in ((1, 1), (5, 3), (33, 20)):
                    data = png(rng, width, height, depth, color, interlaced=interlaced)
                    name = f"c{color} {depth} bits{' interlaced' * interlaced} {width}x{height}.png"
                    yield Sample(name, data, _KEPT)
    text = noise(rng, 50).hex().encode()
    clear = {
        0: struct.pack(">H", 7),
        2: struct.pack(">HHH", 1, 2, 3),
        3: noise(rng, 40),
    }
    extras: dict[str, tuple[int, list[bytes]]] = {
        **{
            f"transparent {color}": (color, [chunk(b"tRNS", data)]) for color, data in clear.items()
        },
        "gamma zero": (2, [chunk(b"gAMA", b"\0\0\0\0")]),
        "whites": (2, [chunk(b"cHRM", noise(rng, 32))]),
        "srgb": (2, [chunk(b"sRGB", b"\x07")]),
        "background": (2, [chunk(b"bKGD", noise(rng, 6))]),
        "density": (2, [chunk(b"pHYs", b"\0" * 9)]),
        "text": (2, [chunk(b"tEXt", b"key\0" + text)]),
        "text without key": (2, [chunk(b"tEXt", text)]),
        "text not compressed": (2, [chunk(b"zTXt", b"key\0\0" + text)]),
        "international text": (2, [chunk(b"iTXt", b"key\0\0\0en\0clef\0" + noise(rng, 90))]),
        "unknown chunk": (2, [chunk(b"prVt", noise(rng, 90))]),
        "a thousand unknown chunks": (2, [chunk(b"prVt", noise(rng, 3))] * 1000),
        "empty data": (2, [chunk(b"IDAT")]),
        "profile": (2, [chunk(b"iCCP", b"x\0\0" + zlib.compress(profile()))]),
        "profile of grey": (0, [chunk(b"iCCP", b"x\0\0" + zlib.compress(noise(rng, 300)))]),
        "profile not compressed": (2, [chunk(b"iCCP", b"x\0\0" + noise(rng, 90))]),
        "orientation": (2, [chunk(b"eXIf", exif(6)[6:])]),
        "broken exif": (2, [chunk(b"eXIf", noise(rng, 60))]),
    }
    for name, (color, chunks) in extras.items():
        yield Sample(f"{name}.png", png(rng, 24, 20, 8, color, extra=chunks), _KEPT)
    short = png(rng, 24, 20, extra=[chunk(b"tRNS", b"\0\1")])
    yield Sample("transparency too short.png", short, _KEPT | BROKEN)
    yield Sample("in many pieces.png", png(rng, 24, 20, pieces=900), _KEPT)
    yield Sample("short palette.png", png(rng, 24, 20, 8, 3, palette=3), _KEPT | BROKEN)
    yield Sample("no palette.png", png(rng, 24, 20, 8, 3).replace(b"PLTE", b"pLTe"), _KEPT | BROKEN)
    frames = [picture(rng, "RGB", 20, 16) for _ in range(4)]
    moving = encoded(frames[0], "PNG", save_all=True, append_images=frames[1:], duration=9)
    yield Sample("animated.png", moving, _KEPT)
    options = {"default_image": True, "loop": 0, "disposal": 1, "blend": 1}
    moving = encoded(frames[0], "PNG", save_all=True, append_images=frames[1:], **options)
    yield Sample("animated, with a still first.png", moving, _KEPT)


def _bmps(rng: np.random.Generator) -> Iterator[Sample]:
    for bits in (1, 4, 8, 16, 24, 32):
        colors = noise(rng, 4 << bits) if bits <= 8 else b""
        for width, height in ((1, 1), (7, 5), (33, 20)):
            rows = bmp_rows(rng, width, height, bits)
            for header in (40, 64, 108, 124):
                data = bmp(width, height, bits, rows, colors=colors, header=header)
                yield Sample(f"{bits} bits, header {header}, {width}x{height}.bmp", data, _KEPT)
            upside = bmp(width, -height, bits, rows, colors=colors)
            yield Sample(f"{bits} bits, top first, {width}x{height}.bmp", upside, _KEPT)
    for bits in (1, 4, 8):
        colors, rows = noise(rng, 3 << bits), bmp_rows(rng, 20, 16, bits)
        yield Sample(
            f"os2 {bits} bits.bmp", bmp(20, 16, bits, rows, colors=colors, header=12), _KEPT
        )
    masks = {
        "565": (16, struct.pack("<III", 0xF800, 0x7E0, 0x1F)),
        "555": (16, struct.pack("<III", 0x7C00, 0x3E0, 0x1F)),
        "888": (32, struct.pack("<III", 0xFF0000, 0xFF00, 0xFF)),
    }
    for name, (bits, mask) in masks.items():
        data = bmp(20, 16, bits, bmp_rows(rng, 20, 16, bits), compression=3, masks=mask)
        yield Sample(f"masks {name}.bmp", data, _KEPT)
    colors = noise(rng, 1024)
    line = bytes([20, 7, 0, 0])
    yield Sample("rle8.bmp", bmp(20, 4, 8, line * 4 + b"\0\1", compression=1, colors=colors), _KEPT)
    line = bytes([20, 0x12, 0, 0])
    yield Sample(
        "rle4.bmp", bmp(20, 4, 4, line * 4 + b"\0\1", compression=2, colors=colors[:64]), _KEPT
    )


def _gifs(rng: np.random.Generator) -> Iterator[Sample]:
    frames = [picture(rng, "P", 20, 16) for _ in range(5)]
    variants = {
        "animated": encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=0),
        "transparent": encoded(frames[0], "GIF", transparency=3),
        "transparent and animated": encoded(
            frames[0], "GIF", save_all=True, append_images=frames[1:], transparency=0, disposal=2
        ),
        "interlaced": encoded(frames[0], "GIF", interlace=True),
        "comment": encoded(frames[0], "GIF", comment=noise(rng, 4000)),
        "all transparent": encoded(Image.new("P", (9, 9), 3), "GIF", transparency=3),
        "many frames": encoded(
            frames[0], "GIF", save_all=True, append_images=[frames[n % 5] for n in range(60)]
        ),
        "tail": encoded(frames[0], "GIF") + noise(rng, 300),
    }
    plain = encoded(frames[0], "GIF")
    at = first_frame(plain)
    beyond = plain[: at + 1] + struct.pack("<HH", 7, 9) + plain[at + 5 :]
    variants["a frame beyond the screen"] = beyond
    yield from (Sample(f"{name}.gif", data, _KEPT) for name, data in variants.items())
    yield Sample("old version.gif", b"GIF87a" + plain[6:], _KEPT)
    yield Sample("screen of nothing.gif", plain[:6] + b"\0\0\0\0" + plain[10:], ANY)
    short = plain[:10] + bytes([plain[10] & 0xF8]) + plain[11 : 13 + 6] + plain[at:]
    yield Sample("palette of two.gif", short, ANY)


def _tiffs(rng: np.random.Generator) -> Iterator[Sample]:
    image = picture(rng, "RGB", 40, 30)
    for compression in (
        "packbits",
        "tiff_lzw",
        "tiff_adobe_deflate",
        "tiff_deflate",
        "jpeg",
        "lzma",
        "zstd",
    ):
        data = encoded(image, "TIFF", compression=compression)
        yield Sample(f"{compression}.tif", data, _KEPT)
    bilevel = picture(rng, "1", 40, 30)
    for compression in ("group3", "group4", "tiff_ccitt"):
        yield Sample(f"{compression}.tif", encoded(bilevel, "TIFF", compression=compression), _KEPT)
    for mode in ("L", "RGB", "RGBA", "I;16"):
        data = encoded(
            picture(rng, mode, 40, 30), "TIFF", compression="tiff_lzw", tiffinfo={317: 2}
        )
        yield Sample(f"{mode.replace(';', '')} with predictor.tif", data, _KEPT)
    pages = [picture(rng, "RGB", 20 + n, 16) for n in range(4)]
    yield Sample(
        "pages.tif", encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:]), _KEPT
    )
    yield Sample("big.tif", encoded(image, "TIFF", big_tiff=True), _KEPT)
    for turn in range(10):
        yield Sample(f"orientation {turn}.tif", encoded(image, "TIFF", tiffinfo={274: turn}), _KEPT)
    yield from (
        Sample(f"profile {name}.tif", encoded(image, "TIFF", icc_profile=data), _KEPT)
        for name, data in _profiles(rng).items()
    )
    grey = noise(rng, 40 * 30)
    tags = raw_tags(40, 30, (8,), len(grey))
    strange = {
        "unknown tags": [(60000 + n, "I", tuple(range(n))) for n in range(200)],
        "text everywhere": [
            (n, "s", tuple(noise(rng, 40))) for n in (270, 271, 305, 306, 315, 33432)
        ],
        "numbers as text": [(282, "s", (65, 66, 0)), (296, "s", (65, 0))],
        "fractions over nothing": [(282, "r", (1, 0)), (283, "r", (0, 0))],
        "a million of one tag": [(700, "B", tuple(range(256)) * 2000)],
        "min and max": [(280, "H", (9,)), (281, "H", (3,))],
        "a next page that is this one": [],
    }
    for name, others in strange.items():
        page = 8 + len(grey) if "next page" in name else 0
        yield Sample(f"{name}.tif", tiff(replaced(tags, *others), grey, next_page=page), _KEPT)
    yield Sample("other end.tif", tiff(tags, grey, order=">"), _KEPT)
    yield Sample("white is zero.tif", tiff(replaced(tags, (262, "H", (0,))), grey), _KEPT)
    tiles = [t for t in tags if t[0] not in {273, 278, 279}]
    sizes = ((322, "I", (16,)), (323, "I", (16,)), (324, "I", tuple(8 + 256 * n for n in range(6))))
    tiled = replaced(tiles, *sizes, (325, "I", (256,) * 6))
    yield Sample("tiles.tif", tiff(tiled, noise(rng, 256 * 6)), _KEPT)
    deep: dict[str, tuple[tuple[int, ...], int]] = {
        "2 bits": ((2,), 1), "4 bits": ((4,), 1), "12 bits": ((12,), 1), "16 bits": ((16,), 1),
        "32 bits": ((32,), 1), "signed 8": ((8,), 2), "signed 16": ((16,), 2), "signed 32": ((32,), 2),
        "half": ((16,), 3), "single": ((32,), 3), "double": ((64,), 3), "64 bits": ((64,), 1),
        "five bands": ((8,) * 5, 1), "nine bands": ((8,) * 9, 1), "3 bits": ((3,), 1),
        "two and three": ((2, 3), 1), "sixteen times three": ((16,) * 3, 1), "floating rgb": ((32,) * 3, 3),
    }  # fmt: skip
    for name, (bits, kind) in deep.items():
        data = noise(rng, -(-40 * sum(bits) // 8) * 30)
        photometric = 2 if len(bits) >= 3 else 1
        made = tiff(raw_tags(40, 30, bits, len(data), photometric=photometric, kind=kind), data)
        yield Sample(f"deep {name}.tif", made, _KEPT | BROKEN)
    extremes = np.array([np.nan, np.inf, -np.inf, 3e38, -3e38, 0, 1, 1e-40] * 8, np.float32)
    for name, values in {"extremes": extremes, "nan": np.full(64, np.nan, np.float32)}.items():
        data = values.tobytes()
        yield Sample(
            f"floating {name}.tif", tiff(raw_tags(8, 8, (32,), len(data), kind=3), data), _KEPT
        )
    planes = replaced(
        raw_tags(8, 8, (8, 8, 8), 64, photometric=2), (284, "H", (2,)),
        (273, "I", (8, 72, 136)), (279, "I", (64, 64, 64)),
    )  # fmt: skip
    yield Sample("planes.tif", tiff(planes, noise(rng, 192)), _KEPT)


def _plain(rng: np.random.Generator) -> Iterator[Sample]:
    numbers = " ".join(str(n % 256) for n in rng.integers(0, 256, 48)).encode()
    variants = {
        "ascii.pbm": b"P1\n4 4\n" + b"0 1 1 0\n" * 4,
        "ascii together.pbm": b"P1 4 4 0110011001100110",
        "ascii.pgm": b"P2\n8 6\n255\n" + numbers,
        "ascii.ppm": b"P3\n4 4\n255\n" + numbers,
        "comments.ppm": b"P3 # one\n# two\n4 # three\n4\n255\n# four\n" + numbers,
        "long comment.pgm": b"P5\n#" + b"x" * 20000 + b"\n4 4\n255\n" + noise(rng, 16),
        "tail.pgm": b"P5 4 4 255\n" + noise(rng, 900),
        "65535.pgm": b"P5 4 4 65535\n" + noise(rng, 32),
        "65535.ppm": b"P6 4 4 65535\n" + noise(rng, 96),
        "ascii 65535.pgm": b"P2 2 2 65535\n0 65535 256 1",
        "1.pgm": b"P5 4 4 1\n" + bytes([0, 1] * 8),
        "100.ppm": b"P6 4 4 100\n" + bytes(n % 101 for n in range(48)),
        "bits.pbm": b"P4 9 3\n" + noise(rng, 6),
    }
    yield from (Sample(name, data, _KEPT) for name, data in variants.items())
    infinite = np.array([np.nan, np.inf, -np.inf, 1e38], "<f4").tobytes()
    yield Sample("infinite.pfm", b"Pf\n2 2\n-1.0\n" + infinite, _KEPT)


def _webps(rng: np.random.Generator) -> Iterator[Sample]:
    image, clear = picture(rng, "RGB", 40, 30), picture(rng, "RGBA", 40, 30)
    frames = [picture(rng, "RGBA", 20, 16) for _ in range(4)]
    variants = {
        "lossy": encoded(image, "WEBP", quality=1),
        "lossless": encoded(image, "WEBP", lossless=True),
        "lossless and clear": encoded(clear, "WEBP", lossless=True, exact=True),
        "clear": encoded(clear, "WEBP", alpha_quality=0),
        "animated": encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:]),
        "animated lossless": encoded(
            frames[0],
            "WEBP",
            save_all=True,
            append_images=frames[1:],
            lossless=True,
            minimize_size=True,
        ),
        "xmp": encoded(image, "WEBP", xmp=noise(rng, 3000)),
        "tail": encoded(image, "WEBP") + noise(rng, 100),
    }
    variants |= {f"orientation {n}": encoded(image, "WEBP", exif=exif(n)) for n in (3, 6, 8)}
    variants |= {f"exif {n}": encoded(image, "WEBP", exif=d) for n, d in broken_exif(rng).items()}
    variants |= {
        f"profile {n}": encoded(image, "WEBP", icc_profile=d) for n, d in _profiles(rng).items()
    }
    yield from (Sample(f"{name}.webp", data, _KEPT) for name, data in variants.items())


def _avifs(rng: np.random.Generator) -> Iterator[Sample]:
    image = picture(rng, "RGB", 20, 16)
    frames = [picture(rng, "RGB", 20, 16) for _ in range(3)]
    variants = {
        "444": encoded(image, "AVIF", subsampling="4:4:4", **AVIF),
        "400": encoded(image, "AVIF", subsampling="4:0:0", **AVIF),
        "animated": encoded(frames[0], "AVIF", save_all=True, append_images=frames[1:], **AVIF),
        "profile": encoded(image, "AVIF", icc_profile=profile(), **AVIF),
        "broken profile": encoded(image, "AVIF", icc_profile=noise(rng, 200), **AVIF),
        "orientation": encoded(image, "AVIF", exif=exif(6)[6:], **AVIF),
    }
    yield from (Sample(f"{name}.avif", data, _KEPT) for name, data in variants.items())


def _jpeg2000s(rng: np.random.Generator) -> Iterator[Sample]:
    image = picture(rng, "RGB", 40, 30)
    variants = {
        "stream.j2k": encoded(image, "JPEG2000", no_jp2=True),
        "lossy.jp2": encoded(image, "JPEG2000", irreversible=True, quality_layers=[20, 5]),
        "tiles.jp2": encoded(image, "JPEG2000", tile_size=(16, 16)),
        "order.jp2": encoded(image, "JPEG2000", progression="CPRL"),
        "one resolution.jp2": encoded(image, "JPEG2000", num_resolutions=1),
        "offset.jp2": encoded(
            image, "JPEG2000", offset=(3, 5), tile_size=(16, 16), tile_offset=(2, 2)
        ),
        "comment.jp2": encoded(image, "JPEG2000", comment="x" * 3000),
        "tail.jp2": encoded(image, "JPEG2000") + noise(rng, 50),
    }
    yield from (Sample(name, data, _KEPT) for name, data in variants.items())
