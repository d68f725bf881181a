"""Pictures gone wrong: cut short, bits turned over, bytes lost or doubled, headers that lie."""

import struct
from collections.abc import Iterator

import numpy as np

from hostile.expectation import ANY, BROKEN, KEPT, Sample, ends
from hostile.formats import (
    PNG,
    bmp,
    bmp_rows,
    chunk,
    ihdr,
    noise,
    png,
    raw_tags,
    replaced,
    resized_jpeg,
    sized_animated,
    sized_avif,
    sized_jp2,
    sized_lossless,
    sized_lossy,
    sized_stream,
    tiff,
)
from hostile.pictures import AVIF, encoded, exif, picture, profile

# Numbers that code of a header did not think of.
SIDES = (0, 1, 2, 0x7F, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def whole(rng: np.random.Generator) -> dict[str, bytes]:
    """One whole picture of each kind of file, with some metadata, to be damaged."""
    image, clear, palette = (picture(rng, mode, 32, 24) for mode in ("RGB", "RGBA", "P"))
    grey, wide = picture(rng, "L", 32, 24), picture(rng, "I;16", 32, 24)
    frames = [picture(rng, "P", 32, 24) for _ in range(3)]
    more = {"save_all": True, "append_images": frames}
    facts = {"exif": exif(6), "icc_profile": profile()}
    return {
        "baseline.jpg": encoded(image, "JPEG", **facts),
        "progressive.jpg": encoded(image, "JPEG", progressive=True),
        "cmyk.jpg": encoded(image.convert("CMYK"), "JPEG"),
        "grey.jpg": encoded(grey, "JPEG"),
        "rgb.png": encoded(image, "PNG", icc_profile=profile()),
        "interlaced.png": png(
            rng, 32, 24, 8, 6, interlaced=True, extra=[chunk(b"eXIf", exif(3)[6:])]
        ),
        "palette.png": encoded(palette, "PNG", transparency=3),
        "wide.png": encoded(wide, "PNG"),
        "animated.png": encoded(image, "PNG", save_all=True, append_images=[image.rotate(90)]),
        "lossy.webp": encoded(image, "WEBP", **facts),
        "lossless.webp": encoded(clear, "WEBP", lossless=True),
        "animated.webp": encoded(image, "WEBP", **more),
        "plain.bmp": encoded(image, "BMP"),
        "palette.bmp": encoded(palette, "BMP"),
        "rle.bmp": bmp(
            20, 9, 8, bytes([20, 7, 0, 0]) * 9 + b"\0\1", compression=1, colors=noise(rng, 1024)
        ),
        "still.gif": encoded(palette, "GIF", transparency=2),
        "animated.gif": encoded(palette, "GIF", **more),
        "raw.tif": encoded(image, "TIFF", icc_profile=profile()),
        "lzw.tif": encoded(image, "TIFF", compression="tiff_lzw"),
        "deflate.tif": encoded(image, "TIFF", compression="tiff_adobe_deflate"),
        "jpeg.tif": encoded(image, "TIFF", compression="jpeg"),
        "group4.tif": encoded(picture(rng, "1", 32, 24), "TIFF", compression="group4"),
        "floating.tif": encoded(picture(rng, "F", 32, 24), "TIFF"),
        "pages.tif": encoded(image, "TIFF", save_all=True, append_images=[grey]),
        "binary.ppm": encoded(image, "PPM"),
        "ascii.pgm": b"P2\n8 6\n255\n" + b" ".join(b"%d" % n for n in noise(rng, 48)),
        "plain.avif": encoded(image, "AVIF", **AVIF),
        "plain.jp2": encoded(image, "JPEG2000"),
        "lossy.j2k": encoded(image, "JPEG2000", no_jp2=True, irreversible=True, quality_layers=[9]),
    }


# What may still be whole although its end is missing: the first of several pictures, or a format
# whose picture grows sharper to its end.
_WHOLE_EARLY = ("animated.", "pages.", "jp2", "j2k", "jpeg.tif", "avif")


def damaged(rng: np.random.Generator) -> Iterator[Sample]:
    """Each picture damaged in many places."""
    for name, data in whole(rng).items():
        stem, _, extension = name.partition(".")
        half = len(data) // 2
        early = any(mark in name for mark in _WHOLE_EARLY)
        for place in sorted({int(at) for at in rng.integers(1, half, 8)}):
            may_be = ANY if early else BROKEN
            yield Sample(f"{stem} cut at {place}.{extension}", data[:place], may_be)
        for place in sorted({int(at) for at in rng.integers(half, len(data), 6)}):
            yield Sample(f"{stem} cut at {place}.{extension}", data[:place], ANY)
        for number in range(14):
            yield Sample(
                f"{stem} flipped {number}.{extension}", _flipped(rng, data, 1 << number % 5), ANY
            )
        for number in range(4):
            first, last = sorted(int(at) for at in rng.integers(0, len(data), 2))
            lost = data[:first] + data[last:]
            yield Sample(f"{stem} lost {number}.{extension}", lost, ANY)
            zeros = data[:first] + b"\0" * (last - first) + data[last:]
            yield Sample(f"{stem} zeroed {number}.{extension}", zeros, ANY)
        doubled = data[:half] + data
        yield Sample(f"{stem} doubled.{extension}", doubled, ANY)
        yield Sample(
            f"{stem} turned round.{extension}", data[::-1], ends("not a picture", "damaged")
        )
        yield Sample(f"{stem} shifted.{extension}", b"\0" + data, ends("not a picture", "damaged"))
        ending = data.replace(b"\r\n", b"\n") if b"\r\n" in data else data.replace(b"\n", b"\r\n")
        yield Sample(f"{stem} sent as text.{extension}", ending, ANY)


def _flipped(rng: np.random.Generator, data: bytes, bits: int) -> bytes:
    """Some bits turned over, half of the time all of them near the beginning."""
    reach = min(len(data), 64) if rng.random() < 0.5 else len(data)
    changed = bytearray(data)
    for place in rng.integers(0, reach, bits):
        changed[place] ^= 1 << int(rng.integers(0, 8))
    return bytes(changed)


def lying_headers(rng: np.random.Generator) -> Iterator[Sample]:
    """Headers whose sizes are not those of what follows: nothing, huge, negative."""
    image = picture(rng, "RGB", 32, 24)
    plain, still = encoded(image, "JPEG"), encoded(picture(rng, "P", 32, 24), "GIF")
    lossless, lossy = (encoded(image, "WEBP", lossless=truth) for truth in (True, False))
    moving = encoded(image, "WEBP", save_all=True, append_images=[image.rotate(180)])
    avif, jp2 = encoded(image, "AVIF", **AVIF), encoded(image, "JPEG2000")
    body = png(rng, 32, 24)[33:]
    grey = noise(rng, 32 * 24)
    tags = raw_tags(32, 24, (8,), len(grey))
    for side in SIDES:
        short, word = side & 0xFFFF, struct.pack("<I", side)
        signed = struct.unpack("<i", word)[0]
        rows = bmp_rows(rng, 32, 24, 24)
        wide = {
            f"{side}.png": PNG + ihdr(side, 24) + body,
            f"{side}.bmp": bmp(signed, 24, 24, rows),
            f"{side}.tif": tiff(replaced(tags, (256, "I", (side,))), grey),
            f"{side}.pgm": b"P5 %d 24 255\n" % side + grey,
            f"{side}.avif": sized_avif(avif, side, 24),
            f"{side}.jp2": sized_jp2(jp2, side, 24),
            f"{side}.j2k": sized_stream(jp2, side, 24),
            f"{side}.gif": still[:6] + struct.pack("<H", short) + still[8:],
            f"{side}.jpg": resized_jpeg(plain, short, 24),
            f"{side} lossless.webp": sized_lossless(lossless, side, 24),
            f"{side} lossy.webp": sized_lossy(lossy, side, 24),
            f"{side} animated.webp": sized_animated(moving, side, 24),
        }
        high = {
            f"{side}.png": PNG + ihdr(32, side) + body,
            f"{side}.bmp": bmp(32, signed, 24, rows),
            f"{side}.tif": tiff(replaced(tags, (257, "I", (side,))), grey),
            f"{side} rows a strip.tif": tiff(replaced(tags, (278, "I", (side,))), grey),
            f"{side} bytes a strip.tif": tiff(replaced(tags, (279, "I", (side,))), grey),
            f"{side} begin of a strip.tif": tiff(replaced(tags, (273, "I", (side,))), grey),
            f"{side} next page.tif": tiff(tags, grey, next_page=side),
            f"{side}.pgm": b"P5 32 %d 255\n" % side + grey,
            f"{side} levels.pgm": b"P5 32 24 %d\n" % side + grey * 2,
            f"{side}.avif": sized_avif(avif, 32, side),
            f"{side}.jp2": sized_jp2(jp2, 32, side),
            f"{side}.j2k": sized_stream(jp2, 32, side),
            f"{side}.gif": still[:8] + struct.pack("<H", short) + still[10:],
            f"{side}.jpg": resized_jpeg(plain, 32, short),
        }
        yield from (Sample(f"wide {name}", data, ANY) for name, data in wide.items())
        yield from (Sample(f"high {name}", data, ANY) for name, data in high.items())
    for depth in range(17):
        yield Sample(f"depth {depth}.png", PNG + ihdr(32, 24, depth) + body, ANY)
        yield Sample(f"colour {depth}.png", PNG + ihdr(32, 24, 8, depth) + body, ANY)
    for bits in (0, 2, 3, 5, 12, 48, 64, 255, 65535):
        yield Sample(
            f"{bits} bits.bmp", bmp(32, 24, bits, bmp_rows(rng, 32, 24, 24)), BROKEN | {KEPT}
        )
    for size in (0, 1, 13, 16, 39, 52, 56, 1 << 31):
        broken = bytearray(bmp(32, 24, 24, bmp_rows(rng, 32, 24, 24)))
        broken[14:18] = struct.pack("<I", size)
        yield Sample(f"header {size}.bmp", bytes(broken), ANY)
    for compression in (1, 2, 3, 4, 5, 6, 99, 34661, 34712, 50001, 65535):
        yield Sample(
            f"compression {compression}.tif",
            tiff(replaced(tags, (259, "H", (compression,))), grey),
            ANY,
        )
        made = bmp(32, 24, 8, grey, compression=compression, colors=noise(rng, 1024))
        yield Sample(f"compression {compression}.bmp", made, ANY)
    for values in (
        "-4 4 255",
        "4 -4 255",
        "4.5 4 255",
        "4",
        "",
        "4 4",
        "0x4 4 255",
        "4 4 0",
        "4 4 -1",
        "4 4 x",
    ):
        yield Sample(f"words {values}.pgm".replace(".5", ",5"), f"P5 {values}\n".encode(), BROKEN)
