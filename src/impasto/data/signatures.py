"""What a file is that no decoder takes for a picture, told from its first bytes.

A page that says "404 Not Found" under a picture's name is the commonest of all; it helps to read that
it is a page.
"""

from impasto.data.reasons import Reason

# First bytes that only a picture has; if it was refused all the same, there is something wrong with it.
_PICTURES = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
    b"\0\0\0\x0cjP  \r\n\x87\n": "JPEG2000",
    b"\xff\x4f\xff\x51": "JPEG2000",
}
_OTHERS = {
    b"%PDF": "a PDF; convert its pages to PNG",
    b"%!PS": "PostScript; convert it to PNG",
    b"8BPS": "a Photoshop file; convert it to PNG",
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "packed by gzip",
    b"Rar!": "a rar archive",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"\x1aE\xdf\xa3": "a video",
    b"MZ": "a program",
    b"\x7fELF": "a program",
    b"\0\0\1\0": "an icon; convert it to PNG",
    b"\x93NUMPY": "a NumPy array",
    b"version https://git-lfs": "a pointer of Git LFS; fetch the file with `git lfs pull`",
}
_HEAD = 512  # bytes; markup may begin behind blanks and comments


def recognize(content: bytes, formats: tuple[str, ...]) -> Reason:
    """Why a file of this content is not decoded, as far as its first bytes tell.

    Args:
        content: the file's, or its beginning.
        formats: names of those that are decoded.
    """
    for mark, name in _PICTURES.items():
        if content.startswith(mark):
            return Reason(
                "damaged", f"{name} of a kind that is not decoded, or with a broken header"
            )
    known = next((name for mark, name in _OTHERS.items() if content.startswith(mark)), None)
    known = known or _container(content) or _markup(content[:_HEAD].lower())
    return Reason("not a picture", known or f"none of {', '.join(formats)}")


def _container(content: bytes) -> str | None:
    """Files of boxes: the first of them names the kind."""
    if content[4:8] != b"ftyp":
        return None
    brand = content[8:12]
    if brand[:3] in {b"hei", b"hev", b"mif"}:
        return "HEIC; convert it to JPEG"
    return "a broken AVIF" if brand[:3] == b"avi" else "a video"


def _markup(head: bytes) -> str | None:
    if b"<svg" in head:
        return "an SVG drawing; convert it to PNG"
    if b"<html" in head or b"<!doctype html" in head:
        return "a web page, often in place of a picture that could not be downloaded"
    return None
