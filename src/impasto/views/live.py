"""A page that shows something as it comes about: it reloads itself until all is done."""

from collections.abc import Mapping
from html import escape

from impasto.views.page import caption, numbers, picture, render_page

RELOADED = 2  # seconds from one look at the file to the next


def render_live(title: str, png: bytes | None, told: Mapping[str, str], *, ended: bool) -> str:
    """The page as HTML.

    Args:
        title: of what comes about, in words.
        png: what there is to see of it.
        told: a few numbers by name.
        ended: whether nothing more will come.
    """
    kicker = "done" if ended else "under way"
    head = f'<header>\n<p class="kicker">{kicker}</p>\n<h1>{escape(title)}</h1>\n</header>'
    shown = picture(png, title, caption("" if ended else "Looked at anew every few seconds."))
    body = f"{head}\n{shown}\n{numbers(told)}"
    return render_page(title, body, reload=None if ended else RELOADED)
