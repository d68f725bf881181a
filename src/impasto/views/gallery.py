"""Small pictures on a page, each with its name."""

import io
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np
from jaxtyping import UInt8

from impasto.sheets import to_picture
from impasto.views.page import address

LARGEST_THUMBNAIL = 128  # pixels


def gallery(images: UInt8[np.ndarray, "_ h w c"], names: Sequence[tuple[str, str]]) -> str:
    """Pictures side by side, each over its name and the particulars."""
    figures = (
        f'<figure>{thumbnail(image, name)}<figcaption><b title="{escape(name)}">{escape(name)}</b>'
        f'<span title="{escape(detail)}">{escape(detail)}</span></figcaption></figure>\n'
        for image, (name, detail) in zip(images, names, strict=True)
    )
    return f'<div class="gallery">\n{"".join(figures)}</div>\n'


def pair_gallery(
    pairs: Iterable[tuple[tuple[UInt8[np.ndarray, "h w c"], str], ...]], captions: Iterable[str]
) -> str:
    """Pairs of pictures, left and right, each pair over a caption in HTML.

    Args:
        pairs: two pictures each, with their names.
        captions: below each pair.
    """
    figures = "".join(
        f"<figure><div>{''.join(thumbnail(*named) for named in pair)}</div><figcaption>{below}</figcaption></figure>\n"
        for pair, below in zip(pairs, captions, strict=True)
    )
    return f'<div class="gallery pairs">\n{figures}</div>\n'


def thumbnail(image: UInt8[np.ndarray, "h w c"], name: str) -> str:
    """A small picture as an `img` that needs no network."""
    small = to_picture(image)
    small.thumbnail((LARGEST_THUMBNAIL, LARGEST_THUMBNAIL))
    content = io.BytesIO()
    small.save(content, "WEBP", quality=85)
    kind = ' class="pixels"' if small.width < 64 else ""
    size = f'width="{small.width}" height="{small.height}"'
    return (
        f'<img{kind} {size} alt="{escape(name)}" src="{address(content.getvalue(), "image/webp")}">'
    )
