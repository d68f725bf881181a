"""Parts of a page that stands alone: no network, no fonts, no script.

Pictures stand inside as `data:` addresses. Every word that comes from outside (names of files above
all) is escaped, and the page forbids itself to load or run anything.
"""

import base64
import io
from collections.abc import Iterable, Mapping
from html import escape
from importlib.resources import files
from pathlib import PurePath

from PIL import Image

LARGEST_PICTURE = 700_000  # bytes; a larger PNG is shown as WebP, which no eye tells from it

_POLICY = "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'"


def render_page(
    title: str, body: str, *styles: str, script: str = "", reload: int | None = None
) -> str:
    """The page as HTML.

    Args:
        title: in words; it is escaped here.
        body: HTML.
        styles: names of style sheets in this folder, beside page.css.
        script: the SHA-256, in base 64, of the one script that it may run; none by default.
        reload: seconds after which it is looked for again; never by default.
    """
    folder = files("impasto.views")
    policy = f"{_POLICY}; script-src 'sha256-{script}'" if script else _POLICY
    again = f'<meta http-equiv="refresh" content="{reload}">\n' if reload else ""
    style = "".join(folder.joinpath(name).read_text("utf-8") for name in ("page.css", *styles))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
{again}<title>{escape(title)}</title>
<style>
{style}</style>
</head>
<body>
<main>
{body}
<footer>Made with impasto. This page is one file that loads nothing: send it as it is.</footer>
</main>
</body>
</html>
"""


def section(title: str, body: str) -> str:
    """The section, or nothing where there is nothing to tell."""
    return f"<section>\n<h2>{escape(title)}</h2>\n{body}\n</section>\n" if body else ""


def folded(summary: str, body: str) -> str:
    """What is shown when its summary is clicked."""
    return f"<details>\n<summary>{escape(summary)}</summary>\n{body}\n</details>\n"


def command(line: str) -> str:
    """A line to type."""
    return f'<pre class="command"><code>{escape(line)}</code></pre>'


def table(rows: Iterable[tuple[str, str]]) -> str:
    """Names on the left, values on the right."""
    cells = "".join(
        f"<tr><th>{escape(str(name))}</th><td>{escape(str(value))}</td></tr>\n"
        for name, value in rows
    )
    return f'<div class="table"><table>\n{cells}</table></div>\n'


def numbers(tiles: Mapping[str, str]) -> str:
    """A few numbers side by side, each large over its name."""
    rows = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>\n"
        for name, value in tiles.items()
    )
    return f'<dl class="numbers">\n{rows}</dl>'


def notices(sentences: Iterable[str]) -> str:
    """What to keep in mind, each as a sentence with a mark beside it; nothing where there is none."""
    items = "".join(f"<li>{escape(sentence(words))}</li>\n" for words in sentences)
    return f'<ul class="notices">\n{items}</ul>\n' if items else ""


def sentence(words: str) -> str:
    """The words with a capital first and a full stop last."""
    return f"{words[:1].upper()}{words[1:].rstrip('.')}."


def caption(*sentences: str) -> str:
    """What stands below a figure, or nothing."""
    words = " ".join(sentence for sentence in sentences if sentence)
    return f"<figcaption>{escape(words)}</figcaption>" if words else ""


def picture(png: bytes | None, alt: str, below: str) -> str:
    """A PNG as a figure; nothing without one.

    Args:
        png: its bytes.
        alt: what it shows, in words.
        below: its caption as HTML.
    """
    if png is None:
        return ""
    with Image.open(io.BytesIO(png)) as image:
        small = ' class="pixels"' if image.width < 400 else ""  # whole pixels rather than a blur
        width, height = image.size
    tag = f'<img{small} width="{width}" height="{height}" alt="{escape(alt)}" src="{_shown(png)}">'
    return f'<figure class="picture">{tag}\n{below}</figure>'


def address(content: bytes, mime: str) -> str:
    """The content as an address that needs no network."""
    return f"data:{escape(mime)};base64,{base64.b64encode(content).decode()}"


def duration(seconds: float) -> str:
    """A length of time as people say it: 42 seconds, 8 minutes, 3 h 20 min, 2 days 4 h."""
    if seconds < 100:
        return many(round(seconds), "second")
    minutes = round(seconds / 60)
    if minutes < 100:
        return many(minutes, "minute")
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    days, hours = divmod(hours, 24)
    return f"{days} days {hours} h"


def named(source: str) -> str:
    """A path without the folders above it, for a page is sent to friends; other words as they are."""
    return PurePath(source).name if PurePath(source).is_absolute() else source


def many(number: int, thing: str) -> str:
    """A number of things: 1 picture, 2,000 pictures."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def _shown(png: bytes) -> str:
    if len(png) <= LARGEST_PICTURE:
        return address(png, "image/png")
    lighter = io.BytesIO()
    with Image.open(io.BytesIO(png)) as image:
        image.convert("RGB").save(lighter, "WEBP", quality=90)
    return address(lighter.getvalue(), "image/webp")
