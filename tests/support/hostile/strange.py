"""What is no picture at all: other files under a picture's name, no bytes, one byte, any bytes."""

import gzip
import io
import pickle
import struct
import zipfile
from collections.abc import Iterator

import numpy as np

from hostile.expectation import ANY, BROKEN, KEPT, Sample, ends
from hostile.formats import noise
from hostile.pictures import AVIF, encoded, picture

EXTENSIONS = ("jpg", "png", "webp", "bmp", "gif", "tif", "ppm", "avif", "jp2")
MAGICS = {
    "jpg": b"\xff\xd8\xff\xe0\0\x10JFIF\0",
    "jpg-bare": b"\xff\xd8\xff",
    "png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "png-bare": b"\x89PNG\r\n\x1a\n",
    "gif": b"GIF89a",
    "gif-old": b"GIF87a",
    "bmp": b"BM",
    "bmp-header": b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0",
    "tif": b"II*\0\x08\0\0\0",
    "tif-other": b"MM\0*\0\0\0\x08",
    "tif-big": b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0",
    "webp": b"RIFF\xff\0\0\0WEBPVP8 ",
    "webp-lossless": b"RIFF\xff\0\0\0WEBPVP8L",
    "webp-extended": b"RIFF\xff\0\0\0WEBPVP8X\x0a\0\0\0",
    "ppm": b"P6 9 9 255\n",
    "pgm-ascii": b"P2 9 9 255\n",
    "pfm": b"Pf 9 9 -1.0\n",
    "avif": b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf",
    "jp2": b"\0\0\0\x0cjP  \r\n\x87\n",
    "j2k": b"\xff\x4f\xff\x51\0\x2f\0\0",
}


def strange(rng: np.random.Generator) -> Iterator[Sample]:
    """Files that hold something else than their name says; a picture under another's name is kept."""
    image = picture(rng, "RGB", 20, 16)
    for kind, extension in (
        ("PNG", "jpg"),
        ("JPEG", "png"),
        ("GIF", "jpeg"),
        ("WEBP", "JPG"),
        ("BMP", "gif"),
    ):
        yield Sample(f"really {kind}.{extension}", encoded(image, kind), ends(KEPT))
    yield Sample("really avif.heic", encoded(image, "AVIF", **AVIF), ends(KEPT))
    yield Sample("no extension", encoded(image, "PNG"), ends(KEPT))
    yield Sample("dot at the end.", encoded(image, "PNG"), ends(KEPT))
    no_picture = ends("not a picture")
    for name, data in _others(rng).items():
        for extension in ("jpg", "png"):
            yield Sample(f"really {name}.{extension}", data, no_picture)
    for kind in ("ICO", "TGA", "PCX", "SGI", "DDS", "ICNS", "EPS", "SPIDER", "XBM"):
        source = picture(rng, {"SPIDER": "F", "XBM": "1"}.get(kind, "RGB"), 32, 32)
        yield Sample(f"a format not read, {kind}.jpg", encoded(source, kind), no_picture)
    for extension in EXTENSIONS:
        yield Sample(f"empty.{extension}", b"", no_picture)
        for byte in (0, 0x0A, 0x42, 0x89, 0xFF):
            yield Sample(f"byte {byte}.{extension}", bytes([byte]), no_picture)
    for name, magic in MAGICS.items():
        extension = name.split("-")[0]
        for length in (0, 1, 8, 40, 300, 5000):
            yield Sample(f"{name} then {length}.{extension}", magic + noise(rng, length), ANY)
        yield Sample(f"{name} then zeros.{extension}", magic + bytes(2000), ANY)
        yield Sample(f"{name} cut.{extension}", magic[:2], BROKEN)
    for number in range(60):
        data = noise(rng, int(rng.integers(2, 3000)))
        yield Sample(f"noise {number}.{EXTENSIONS[number % 9]}", data, ANY)
    yield Sample("zeros.png", bytes(100_000), no_picture)
    yield Sample("spaces.jpg", b" " * 100_000, no_picture)


def _others(rng: np.random.Generator) -> dict[str, bytes]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo("picture.png"), encoded(picture(rng, "RGB", 9, 9), "PNG"))
    svg = b"<svg xmlns='http://www.w3.org/2000/svg' width='30000' height='30000'/>"
    laughs = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
    return {
        "html": b"<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head></html>",
        "html with a byte order mark": "\ufeff<html>403</html>".encode(),
        "json": b'{"error": "quota exceeded"}',
        "svg": svg,
        "a billion laughs": b'<?xml version="1.0"?><!DOCTYPE svg [' + laughs + b"]>" + svg,
        "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 30000 30000\n%%EndComments\n{} loop\n",
        "pdf": b"%PDF-1.7\n1 0 obj <</Type /Catalog>> endobj\n%%EOF",
        "psd": b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 30000, 30000, 8, 3) + bytes(20),
        "exe": b"MZ" + noise(rng, 300),
        "elf": b"\x7fELF\x02\x01\x01" + noise(rng, 300),
        "zip": packed.getvalue(),
        "gzip": gzip.compress(b"text", mtime=0),
        "rar": b"Rar!\x1a\x07\x01\0" + noise(rng, 60),
        "7z": b"7z\xbc\xaf\x27\x1c" + noise(rng, 60),
        "pickle": pickle.dumps(eval, protocol=0),
        "script": b"#!/bin/sh\nrm -rf ~\n",
        "heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + noise(rng, 60),
        "mp4": b"\0\0\0\x18ftypisom\0\0\0\0isommp42" + noise(rng, 60),
        "webm": b"\x1aE\xdf\xa3" + noise(rng, 60),
        "wav": b"RIFF\x24\0\0\0WAVEfmt " + noise(rng, 30),
        "mp3": b"ID3\x04\0\0" + noise(rng, 60),
        "sqlite": b"SQLite format 3\0" + noise(rng, 90),
        "words": "Schrödinger's cat sat.\n".encode("utf-16"),
        "npy": b"\x93NUMPY\x01\0v\0{'descr': '|u1', 'fortran_order': False, 'shape': (9, 9), }\n",
        "lfs pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n",
    }
