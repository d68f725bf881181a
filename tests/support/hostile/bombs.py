"""Small files that unfold to gigabytes, or to very many things, if they are believed."""

import struct
import zlib
from collections.abc import Iterator

import numpy as np

from hostile.expectation import ANY, BROKEN, KEPT, Sample, ends
from hostile.formats import (
    PNG,
    bmp,
    chunk,
    first_frame,
    ihdr,
    noise,
    png,
    raw_tags,
    replaced,
    resized_jpeg,
    segment,
    sized_animated,
    sized_avif,
    sized_jp2,
    sized_lossless,
    sized_lossy,
    sized_stream,
    tiff,
    with_segments,
)
from hostile.pictures import AVIF, encoded, exif, picture

HUGE = (
    (30000, 30000),
    (65500, 65500),
    (16383, 16383),
    (12247, 12248),
)  # the last is just too large
_NOT_READ = 0xBC01  # the tag of a relative of TIFF
_LARGE = ends("too large")
_EXPECTED = _LARGE | {"damaged", "not a picture"}


def packed_zeros(count: int) -> bytes:
    """A zlib stream of so many zeros, a thousandth of their size."""
    packer = zlib.compressobj(9, wbits=-15)
    mebibyte = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    rest = packer.compress(bytes(count % (1 << 20))) + packer.flush()
    checksum = struct.pack(">HH", count % 65521, 1)  # Adler's, which is as simple as that for zeros
    return b"\x78\xda" + mebibyte * (count >> 20) + rest + checksum


def bombs(rng: np.random.Generator) -> Iterator[Sample]:
    """All of them; those that promise too many pixels must be refused for just that."""
    yield from _promises(rng)
    yield from _metadata(rng)
    yield from _many(rng)


def _promises(rng: np.random.Generator) -> Iterator[Sample]:
    image = picture(rng, "RGB", 32, 24)
    still = encoded(picture(rng, "P", 32, 24), "GIF")
    jpeg, slow = encoded(image, "JPEG"), encoded(image, "JPEG", progressive=True)
    lossless, lossy = (encoded(image, "WEBP", lossless=truth) for truth in (True, False))
    moving = encoded(image, "WEBP", save_all=True, append_images=[image.rotate(180)])
    avif, jp2 = encoded(image, "AVIF", **AVIF), encoded(image, "JPEG2000")
    zeros = packed_zeros(4 << 20)
    for width, height in HUGE:
        at = f"{width}x{height}"
        certain = {
            f"{at}.png": PNG + ihdr(width, height, 8, 6) + chunk(b"IDAT", zeros) + chunk(b"IEND"),
            f"{at} one bit.png": PNG
            + ihdr(width, height, 1, 0)
            + chunk(b"IDAT", zeros)
            + chunk(b"IEND"),
            f"{at} interlaced.png": PNG + ihdr(width, height, 16, 6, 1) + chunk(b"IDAT", zeros),
            f"{at}.gif": still[:6] + struct.pack("<HH", width, height) + still[10:],
            f"{at} frame.gif": _framed(still, width, height),
            f"{at}.tif": tiff(raw_tags(width, height, (8,), 99), noise(rng, 99)),
            f"{at} lzw.tif": tiff(
                replaced(raw_tags(width, height, (8, 8, 8), 99, photometric=2), (259, "H", (5,))),
                noise(rng, 99),
            ),
            f"{at}.bmp": bmp(width, height, 24, noise(rng, 99)),
            f"{at} top first.bmp": bmp(width, -height, 32, noise(rng, 99)),
            f"{at} rle.bmp": bmp(
                width, height, 8, b"\xff\0" * 99, compression=1, colors=noise(rng, 1024)
            ),
            f"{at}.pbm": b"P4 %d %d\n" % (width, height) + noise(rng, 99),
            f"{at}.ppm": b"P6 %d %d 65535\n" % (width, height) + noise(rng, 99),
            f"{at} ascii.ppm": b"P3 %d %d 255\n" % (width, height) + b"0 " * 99,
            f"{at}.pfm": b"Pf\n%d %d\n-1.0\n" % (width, height) + noise(rng, 99),
            f"{at}.jpg": resized_jpeg(jpeg, width, height),
            f"{at} progressive.jpg": resized_jpeg(slow, width, height),
        }
        yield from (Sample(f"bomb {name}", data, _LARGE) for name, data in certain.items())
        # These say their size in several places, and some decoders compare them first.
        other = {
            f"{at} lossless.webp": sized_lossless(lossless, width, height),
            f"{at} lossy.webp": sized_lossy(lossy, width, height),
            f"{at} animated.webp": sized_animated(moving, width, height),
            f"{at}.avif": sized_avif(avif, width, height),
            f"{at}.jp2": sized_jp2(jp2, width, height),
            f"{at}.j2k": sized_stream(jp2, width, height),
        }
        yield from (Sample(f"bomb {name}", data, _EXPECTED) for name, data in other.items())
    # As large as is allowed, and all of it there: a hundred kilobytes that take a hundred megabytes.
    line = -(-12000 // 8) + 1
    rows = packed_zeros(line * 12000)
    page = PNG + ihdr(12000, 12000, 1, 0) + chunk(b"IDAT", rows) + chunk(b"IEND")
    yield Sample("bomb as large as allowed.png", page, ends(KEPT))
    yield Sample("bomb cut.png", page[: len(page) // 2], BROKEN)
    tall = (
        PNG + ihdr(1, 5_000_000, 1, 0) + chunk(b"IDAT", packed_zeros(10_000_000)) + chunk(b"IEND")
    )
    yield Sample("bomb a thread.png", tall, ends(KEPT))
    tags = replaced(raw_tags(12000, 12000, (1,), 18_000_000), (259, "H", (8,)))
    strip = packed_zeros(18_000_000)
    packed = replaced(tags, (279, "I", (len(strip),)))
    yield Sample("bomb as large as allowed.tif", tiff(packed, strip), ends(KEPT))
    yield Sample("bomb as large as allowed, and empty.jpg", resized_jpeg(jpeg, 12000, 12000), ANY)
    yield Sample("bomb as large as allowed, and empty.jp2", sized_stream(jp2, 8600, 8600), ANY)


def _framed(gif: bytes, width: int, height: int) -> bytes:
    """A GIF whose first frame is larger than its screen."""
    at = first_frame(gif)
    return gif[: at + 5] + struct.pack("<HH", width, height) + gif[at + 9 :]


def _metadata(rng: np.random.Generator) -> Iterator[Sample]:
    inflated = packed_zeros(200 << 20)
    texts = {
        "text": chunk(b"zTXt", b"key\0\0" + inflated),
        "international text": chunk(b"iTXt", b"key\0\1\0\0\0" + inflated),
        "profile": chunk(b"iCCP", b"x\0\0" + inflated),
    }
    for name, data in texts.items():
        yield Sample(f"bomb {name}.png", png(rng, 24, 20, extra=[data]), _LARGE | {KEPT, "damaged"})
    megabyte = chunk(b"zTXt", b"key\0\0" + packed_zeros(1_000_000))
    yield Sample(
        "bomb many texts.png", png(rng, 24, 20, extra=[megabyte] * 100), _LARGE | {KEPT, "damaged"}
    )
    more = PNG + ihdr(24, 20) + chunk(b"IDAT", inflated) + chunk(b"IEND")
    yield Sample("bomb more data than pixels.png", more, ends(KEPT, "damaged"))
    nested = packed_zeros(50 << 20)
    for _ in range(6):
        nested = zlib.compress(nested)
    nest = png(rng, 24, 20, extra=[chunk(b"zTXt", b"key\0\0" + nested)])
    yield Sample("bomb packed seven times.png", nest, ends(KEPT))
    entry = struct.pack("<HHII", 0, 7, 60000, 8)
    heap = b"".join(struct.pack("<H", n) + entry[2:] for n in range(1000, 16000))
    many = b"II*\0" + struct.pack("<IH", 8, 15000) + heap + b"\0" * 4
    yield Sample("bomb exif.png", png(rng, 24, 20, extra=[chunk(b"eXIf", many)]), ends(KEPT))
    yield Sample(
        "bomb exif.webp", encoded(picture(rng, "RGB", 9, 9), "WEBP", exif=many), ends(KEPT)
    )
    yield Sample("bomb tags.tif", many, BROKEN)
    grey = noise(rng, 64)
    overlapping = raw_tags(8, 8, (8,), 64) + [
        (n, "I", (n,)) for n in range(1000, 21000) if n != _NOT_READ
    ]
    yield Sample("bomb twenty thousand tags.tif", tiff(overlapping, grey), ends(KEPT))
    profile = bytearray(noise(rng, 4000))
    profile[36:40], profile[128:132] = b"acsp", struct.pack(">I", 300)
    large = encoded(picture(rng, "RGB", 9, 9), "TIFF", icc_profile=bytes(profile) + bytes(20 << 20))
    yield Sample("bomb profile of 20 megabytes.tif", large, ends(KEPT))


def _many(rng: np.random.Generator) -> Iterator[Sample]:
    plain = encoded(picture(rng, "RGB", 32, 24), "JPEG")
    segments = with_segments(plain, *[segment(0xE1, exif(6))] * 5000)
    yield Sample("bomb segments.jpg", segments, ends(KEPT, "damaged"))
    yield Sample("bomb chunks.png", png(rng, 24, 20, extra=[chunk(b"prVt")] * 20_000), ends(KEPT))
    still = encoded(picture(rng, "P", 8, 8), "GIF")
    begin = first_frame(still)
    frame = still[begin:-1]
    yield Sample("bomb frames.gif", still[:-1] + frame * 20000 + b";", ends(KEPT))
    blocks = still[:begin] + (b"!\xfe" + b"\x01x" * 50000 + b"\0") * 4 + still[begin:]
    yield Sample("bomb comments.gif", blocks, ends(KEPT))
    slow = encoded(picture(rng, "RGB", 2000, 1500).reduce(1), "JPEG", progressive=True, quality=5)
    last = slow.rindex(b"\xff\xda")
    yield Sample(
        "bomb scans.jpg", slow[:last] + slow[last:-2] * 3 + slow[-2:], ends(KEPT, "damaged")
    )
    steps = bmp(12000, 12000, 8, b"\0\0" * 12000 + b"\0\1", compression=1, colors=noise(rng, 1024))
    yield Sample("bomb ends of line.bmp", steps, ends(KEPT, "damaged"))
