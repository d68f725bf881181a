"""HTML pages under test."""

import base64
from html.parser import HTMLParser

VOID = {"meta", "img", "br", "link", "hr", "input"}


class Page(HTMLParser):
    """Walks a page, minding that every tag is closed where it should be."""

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.loads, self.words = [], [], [], []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.note(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.note(tag, attrs)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    def note(self, tag, attrs):
        self.tags.append(tag)
        names = {"src", "href", "xlink:href", "srcset", "poster", "action", "data"}
        self.loads += [value for name, value in attrs if name in names]
        assert not [name for name, _ in attrs if name.startswith("on")]


def embedded(page):
    """Kind and bytes of every picture that stands inside."""
    return [
        (load.split(";")[0].removeprefix("data:"), base64.b64decode(load.split(",")[1]))
        for load in page.loads
        if load.startswith("data:")
    ]
