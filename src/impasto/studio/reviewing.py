"""Reviewing a prepared set in the browser: the verb, from opening the set to where it stands at the end."""

import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path

from impasto.studio.review.app import serve
from impasto.workflows.extracting import curating_extract
from impasto.workflows.review import Counts, Review


def review(
    path: str | Path,
    *,
    port: int = 0,
    browser: bool = True,
    announce: Callable[[str], None] = print,
) -> Counts:
    """Shows a prepared set on a page, on this machine only, to reject and restore pictures, until Ctrl-C.

    Args:
        path: the set's directory.
        port: of the page; 0 for any that is free.
        browser: whether to open the page.
        announce: told the page's address, which holds a secret; prints it by default.

    Returns:
        Where the review stands; every decision is on disk from the click on.

    Raises:
        SourceError: there is no prepared set, it is under review already, or the port is taken.
    """

    def announced(address: str) -> None:
        announce(address)
        if browser:
            # In a thread, as a browser in a terminal would hold the page back until it ends.
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()

    with Review.open(path, extract=curating_extract()) as reviewing:
        serve(reviewing, port=port, announce=announced)
        return reviewing.counts()
