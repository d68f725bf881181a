"""A map of pictures as one page: thumbnails where their codes lie, to zoom into, to hover over and to choose from."""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files

import numpy as np
from jaxtyping import Float, Int64, UInt8

from impasto.views.gallery import gallery
from impasto.views.page import address, many, render_page, section
from impasto.views.sprite import encode_sprite

PIXELS = 16_000_000  # of all thumbnails together
LEAST, MOST = 16, 64  # pixels on a side of one
COLUMNS = 48
PER_SPRITE = COLUMNS * 48
FULL = 65_535  # coordinates run from 0 to this


@dataclass(frozen=True)
class Shown:
    """A cluster on the page.

    Attributes:
        name: what it is called.
        size: pictures in it.
        images: those in its middle.
        names: theirs.
    """

    name: str
    size: int
    images: UInt8[np.ndarray, "k h w c"]
    names: tuple[str, ...]


@dataclass(frozen=True)
class MapFacts:
    """What the page tells.

    Attributes:
        source: of the pictures.
        credit: theirs, if they ask for one.
        seen_by: what told how like they are.
        projection: how places were found.
        clustering: how clusters were found, and how well they part.
        places: of the pictures.
        labels: the cluster of each; -1 for none.
        names: of the pictures.
        sprites: their thumbnails, in order, so many in each.
        side: of a thumbnail, in pixels.
        clusters: in the order of their numbers.
    """

    source: str
    credit: str
    seen_by: str
    projection: str
    clustering: str
    places: Float[np.ndarray, "n 2"]
    labels: Int64[np.ndarray, " n"]
    names: Sequence[str]
    sprites: Sequence[bytes]
    side: int
    clusters: Sequence[Shown]


def thumbnail_side(count: int, stored: int) -> int:
    """The pixels on a side of so many thumbnails, of pictures stored at a side."""
    return min(stored, MOST, max(LEAST, int((PIXELS / max(count, 1)) ** 0.5)))


def sprite(images: UInt8[np.ndarray, "n h w c"], side: int) -> bytes:
    """The thumbnails of at most `PER_SPRITE` pictures."""
    return encode_sprite(images, COLUMNS, side)


def render_map(facts: MapFacts) -> str:
    """The page as HTML; it loads nothing and runs one script, its own."""
    script = files("impasto.views").joinpath("map.js").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    data = json.dumps(_data(facts)).replace("<", "\\u003c")
    count = len(facts.names)
    credit = f"<p>Pictures: {escape(facts.credit)}</p>" if facts.credit else ""
    sheets = "".join(
        f"<h3>{escape(each.name)}: {many(each.size, 'picture')}</h3>\n"
        + gallery(each.images, [(name, "") for name in each.names])
        for each in facts.clusters
    )
    body = f"""<header>
<p class="kicker">impasto · map</p>
<h1>{many(count, "picture")} by what they show</h1>
<p class="lead">{escape(facts.source)}, as {escape(facts.seen_by)} sees them; placed by {escape(facts.projection)};
{escape(facts.clustering)}.</p>
{credit}
</header>
<div class="map">
<div>
<div class="bar">
<button type="button" id="in">Closer</button>
<button type="button" id="out">Farther</button>
<button type="button" id="whole">All</button>
<label><input type="checkbox" id="choose"> drag chooses (or hold Shift)</label>
</div>
<canvas id="map" tabindex="0" role="img"
 aria-label="Map of {count} pictures; the wheel or + and - zoom, dragging or arrows move, a click chooses"></canvas>
<p id="label" aria-live="polite"></p>
<div id="legend"></div>
</div>
<div>
<div class="bar"><b id="counted"></b>
<button type="button" id="save">Save list</button>
<button type="button" id="none">Clear</button></div>
<ul id="list"></ul>
</div>
</div>
{section("The clusters, from their middle", sheets)}
<script type="application/json" id="facts">{data}</script>
<script>{script}</script>"""
    return render_page(f"Map of {facts.source}", body, "health.css", "map.css", script=digest)


def _data(facts: MapFacts) -> dict[str, object]:
    lows, highs = facts.places.min(0), facts.places.max(0)
    wide = max(float((highs - lows).max()), 1e-12)
    # One scale for both directions, the shorter one in the middle.
    placed = ((facts.places - (lows + highs) / 2) / wide + 0.5) * FULL
    across, down = placed.round().astype(int).T
    return {
        "x": across.tolist(),
        "y": down.tolist(),
        "cluster": facts.labels.tolist(),
        "names": list(facts.names),
        "clusters": [{"name": each.name, "size": each.size} for each in facts.clusters],
        "sprites": [address(content, "image/jpeg") for content in facts.sprites],
        "side": facts.side,
        "columns": COLUMNS,
        "per_sprite": PER_SPRITE,
    }
