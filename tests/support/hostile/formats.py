"""Encoders for what Pillow does not write: every kind of PNG, BMP and TIFF, and headers that lie.

They know just enough of each format to put a wrong value where it hurts.
"""

import struct
import zlib
from collections.abc import Iterable

import numpy as np

PNG = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # samples of a pixel, by PNG's colour type
_ADAM7 = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)


def noise(rng: np.random.Generator, count: int) -> bytes:
    """So many random bytes."""
    return rng.integers(0, 256, count, dtype=np.uint8).tobytes()


def chunk(kind: bytes, data: bytes = b"", crc: int | None = None) -> bytes:
    """One chunk of a PNG, its checksum right unless another is given."""
    checksum = zlib.crc32(kind + data) if crc is None else crc
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def ihdr(width: int, height: int, depth: int = 8, color: int = 2, interlaced: int = 0) -> bytes:
    """The header chunk of a PNG."""
    fields = (width & 0xFFFFFFFF, height & 0xFFFFFFFF, depth, color, 0, 0, interlaced)
    return chunk(b"IHDR", struct.pack(">IIBBBBB", *fields))


def png(
    rng: np.random.Generator,
    width: int,
    height: int,
    depth: int = 8,
    color: int = 2,
    *,
    interlaced: bool = False,
    extra: Iterable[bytes] = (),
    pieces: int = 1,
    palette: int = 256,
) -> bytes:
    """A PNG of noise, in any of its colour types and depths, with further chunks before the data."""
    passes = _ADAM7 if interlaced else ((0, 0, 1, 1),)
    lines = b""
    for left, top, across, down in passes:
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns <= 0:
            continue
        size = -(-columns * _CHANNELS[color] * depth // 8)
        for _ in range(rows):
            lines += bytes([int(rng.integers(0, 5))]) + noise(rng, size)
    data = zlib.compress(lines)
    step = -(-len(data) // pieces)
    colors = chunk(b"PLTE", noise(rng, 3 * min(palette, 1 << depth))) if color == 3 else b""
    return b"".join(
        (
            PNG,
            ihdr(width, height, depth, color, int(interlaced)),
            colors,
            *extra,
            *(chunk(b"IDAT", data[at : at + step]) for at in range(0, len(data), step)),
            chunk(b"IEND"),
        )
    )


def bmp(
    width: int,
    height: int,
    bits: int,
    data: bytes,
    *,
    compression: int = 0,
    colors: bytes = b"",
    header: int = 40,
    masks: bytes = b"",
) -> bytes:
    """A BMP with its header as told, OS/2's short one (12) and the longest (124) too."""
    if header == 12:
        info = struct.pack("<IHHHH", 12, width & 0xFFFF, height & 0xFFFF, 1, bits)
    else:
        fields = (header, width, height, 1, bits, compression, len(data), 2835, 2835)
        info = struct.pack("<IiiHHIIii", *fields) + struct.pack("<II", len(colors) // 4, 0)
        info = (info + (masks if header > 40 else b"")).ljust(header, b"\0")
        if header == 40:
            info += masks
    begin = 14 + len(info) + len(colors)
    return struct.pack("<2sIHHI", b"BM", begin + len(data), 0, 0, begin) + info + colors + data


def bmp_rows(rng: np.random.Generator, width: int, height: int, bits: int) -> bytes:
    """Noise in the rows of a BMP, each padded to four bytes."""
    return noise(rng, (width * bits + 31) // 32 * 4 * height)


Tag = tuple[int, str, tuple[int | float, ...]]  # number, letter of `struct`, values
_TYPES = {
    "B": 1,
    "s": 2,
    "H": 3,
    "I": 4,
    "r": 5,
    "b": 6,
    "u": 7,
    "h": 8,
    "i": 9,
    "f": 11,
    "d": 12,
    "Q": 16,
}


def tiff(tags: Iterable[Tag], data: bytes, *, order: str = "<", next_page: int = 0) -> bytes:
    """A TIFF of one page with these tags; the pixels' bytes lie at offset 8."""
    entries = sorted(tags)
    directory = 8 + len(data) + len(data) % 2
    beyond = directory + 2 + 12 * len(entries) + 4
    head, tail = bytearray(), bytearray()
    for number, letter, values in entries:
        if letter in "su":  # text or bytes, handed over as numbers
            raw = bytes(int(value) for value in values)
        elif letter == "r":
            raw = struct.pack(f"{order}{len(values)}I", *values)
        else:
            raw = struct.pack(f"{order}{len(values)}{letter}", *values)
        count = len(values) // 2 if letter == "r" else len(values)
        head += struct.pack(f"{order}HHI", number, _TYPES[letter], count)
        if len(raw) <= 4:
            head += raw.ljust(4, b"\0")
        else:
            head += struct.pack(f"{order}I", beyond + len(tail))
            tail += raw + b"\0" * (len(raw) % 2)
    mark = b"II*\0" if order == "<" else b"MM\0*"
    count = struct.pack(f"{order}H", len(entries))
    begin = mark + struct.pack(f"{order}I", directory) + data + b"\0" * (len(data) % 2)
    return begin + count + head + struct.pack(f"{order}I", next_page) + tail


def raw_tags(
    width: int,
    height: int,
    bits: tuple[int, ...],
    size: int,
    *,
    photometric: int = 1,
    kind: int = 1,
) -> list[Tag]:
    """The tags of an uncompressed page in one strip; `kind` is 1 for unsigned, 2 signed, 3 floating."""
    return [
        (256, "I", (width,)),
        (257, "I", (height,)),
        (258, "H", bits),
        (259, "H", (1,)),
        (262, "H", (photometric,)),
        (273, "I", (8,)),
        (277, "H", (len(bits),)),
        (278, "I", (height,)),
        (279, "I", (size,)),
        (339, "H", (kind,) * len(bits)),
    ]


def replaced(tags: list[Tag], *others: Tag) -> list[Tag]:
    """The tags with some of them replaced or added."""
    numbers = {tag[0] for tag in others}
    return [tag for tag in tags if tag[0] not in numbers] + list(others)


def segment(marker: int, data: bytes) -> bytes:
    """One segment of a JPEG."""
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def with_segments(jpeg: bytes, *segments: bytes) -> bytes:
    """A JPEG with segments put in right behind its first marker."""
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def frame_of(jpeg: bytes) -> int:
    """Where the frame header of a JPEG begins; height and width lie 5 and 7 bytes further."""
    at = 2
    while not (0xC0 <= jpeg[at + 1] <= 0xCF and jpeg[at + 1] not in {0xC4, 0xC8, 0xCC}):
        at += 2 + struct.unpack(">H", jpeg[at + 2 : at + 4])[0]
    return at


def resized_jpeg(jpeg: bytes, width: int, height: int) -> bytes:
    """A JPEG whose header speaks of another size."""
    at = frame_of(jpeg) + 5
    return jpeg[:at] + struct.pack(">HH", height & 0xFFFF, width & 0xFFFF) + jpeg[at + 4 :]


def first_frame(gif: bytes) -> int:
    """Where the first frame of a GIF begins; left, top, width and height lie from one byte further on."""
    at = 13 + (3 << (gif[10] & 7) + 1 if gif[10] & 0x80 else 0)
    while gif[at] == 0x21:  # extensions, each of several blocks
        at += 2
        while gif[at]:
            at += 1 + gif[at]
        at += 1
    return at


def _put(data: bytes, mark: bytes, distance: int, fields: bytes) -> bytes:
    at = data.index(mark) + distance
    return data[:at] + fields + data[at + len(fields) :]


def sized_avif(avif: bytes, width: int, height: int) -> bytes:
    """An AVIF whose header speaks of another size."""
    return _put(avif, b"ispe", 8, struct.pack(">II", width, height))


def sized_jp2(jp2: bytes, width: int, height: int) -> bytes:
    """A JP2 whose first header speaks of another size than its stream."""
    return _put(jp2, b"ihdr", 4, struct.pack(">II", height, width))


def sized_stream(jp2: bytes, width: int, height: int) -> bytes:
    """The stream within a JP2, speaking of another size."""
    return _put(
        jp2[jp2.index(b"\xff\x4f\xff\x51") :], b"\xff\x51", 6, struct.pack(">II", width, height)
    )


def sized_lossless(webp: bytes, width: int, height: int) -> bytes:
    """A lossless WebP whose header speaks of another size."""
    bits = ((width - 1) & 0x3FFF) | ((height - 1) & 0x3FFF) << 14
    return _put(webp, b"VP8L", 9, struct.pack("<I", bits))


def sized_lossy(webp: bytes, width: int, height: int) -> bytes:
    """A lossy WebP whose header speaks of another size."""
    return _put(webp, b"VP8 ", 14, struct.pack("<HH", width & 0x3FFF, height & 0x3FFF))


def sized_animated(webp: bytes, width: int, height: int) -> bytes:
    """An extended WebP whose header speaks of another size."""
    sides = (((side - 1) & 0xFFFFFF).to_bytes(3, "little") for side in (width, height))
    return _put(webp, b"VP8X", 12, b"".join(sides))
