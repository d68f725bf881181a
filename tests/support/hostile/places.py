"""Strange names, links, and what is no ordinary file, in a folder."""

import os
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from hostile.expectation import KEPT, Expectation, ends
from hostile.pictures import encoded, picture

_KEPT, _UNREAD, _PASSED = ends(KEPT), ends("cannot be read"), ends()
Made = tuple[str, Expectation]

# fmt: off
# Names that some programs take for something else, or print as something else.
NAMES = (
    *("new\nline.png", "carriage\rreturn.png", "tab\there.png", "bell\a.png", "form\ffeed.png"),
    *("escape\x1b[31mred.png", "title\x1b]0;owned\a.png", "back\b\b\b.png", "delete\x7f.png", "c1\x9b31m.png"),
    *("line\u2028separator.png", "next\x85line.png", "null\u2400.png", "bom\ufeff.png"),
    *("right\u202egnp.exe.png", "isolate\u2066x\u2069.png", "zero\u200bwidth.png", "joiner\u200d.png"),
    *("emoji \U0001f408\u200d\u2b1b.png", "combining e\u0301\u0301\u0301.png", "precomposed \xe9.png"),
    *("日本語.png", "العربية.png", "ไทย.png", "ẞß.png", "İı.png", "private \ue000.png", "\U0010ffff.png"),
    *("not utf-8 \udcff\udcfe.png", "latin-1 caf\udce9.jpg", "\udc80.png", "cut \udcf0\udc9f.png"),
    *("con.png", "nul.png", "aux", "prn.jpg", "com1.png", "lpt9.png", "clock$.png"),
    *("-rf", "--help.png", "-.png", "- -.png", "~", "~root.png", "$HOME.png", "$(touch x).png", "`id`.png"),
    *("a b.png", " leading.png", "trailing .png ", "trailing dots...", "dot in the end.png.", "  "),
    *("quote'.png", 'quotes".png', "back\\slash.png", "a\\..\\up.png", "C:\\windows.png", "a:b.png"),
    *("semi;colon.png", "pipe|.png", "amp&.png", "less<more>.png", "star*.png", "what?.png", "[a-z].png"),
    *("{curly}.png", "%s%n.png", "%2e%2e%2f.png", "hash#.png", "comma,.png", "equal=.png", "plus+.png"),
    *("UPPER.PNG", "Upper.Png", "upper.png", "double.png.png", "png", "jpg.", "one.two.three.four.png"),
    *("http:||example.org|a.png", "file.tar.gz", "file.zip", "x.txt.png", "set.json.png", "pixels.npy.png"),
    *("x" * 251 + ".png", "y" * 255, "日" * 85, "\udcff" * 255, "é" * 125 + ".png"),
    *("None", "nan", "null.png", "true", "0", "-1", "1e9.png", "[red]markup.png", "{{ 7 * 7 }}.png"),
)
# fmt: on
# Hidden ones, and side files, are passed over.
HIDDEN = (
    ".hidden.png",
    "..jpg",
    "...",
    "..png.png",
    "..\\..\\up.png",
    ".",
    "Thumbs.db",
    "notes.txt",
    "x.json",
    "desktop.ini",
)


def names(root: Path, rng: np.random.Generator) -> Iterator[Made]:
    """The same small picture under every strange name."""
    content = encoded(picture(rng, "RGB", 12, 9), "PNG")
    folder = root / "names"
    folder.mkdir()
    for name in NAMES:
        _write(folder / name, content)
        yield f"names/{name}", Expectation("names", _KEPT)
    for name in HIDDEN:
        if name != ".":
            _write(folder / name, content)
            yield f"names/{name}", Expectation("names", _PASSED)
    for name in (
        "new\nfolder",
        "-r",
        "\udcff",
        "x" * 255,
        "\x1b[2J",
        "trailing.",
        " ",
        "\u202e",
        "run.json",
    ):
        (folder / name).mkdir()
        _write(folder / name / "1.png", content)
        yield f"names/{name}/1.png", Expectation("names", _KEPT)
    for name in (".git", "__MACOSX", ".."):
        if name != "..":
            (folder / name).mkdir()
            _write(folder / name / "1.png", content)
            yield f"names/{name}/1.png", Expectation("names", _PASSED)


def folders(root: Path, rng: np.random.Generator) -> Iterator[Made]:
    """Folders as deep as a path goes, and deeper; many empty ones; folders called like pictures."""
    content = encoded(picture(rng, "RGB", 12, 9), "PNG")
    deep = "deep/" + "/".join(["d"] * 100)
    (root / deep).mkdir(parents=True)
    _write(root / deep / "1.png", content)
    yield f"{deep}/1.png", Expectation("folders", _KEPT)
    # The last of these folders has no path that the system would take: it is reached step by step.
    step = "e" * 200
    (root / "deeper").mkdir()
    at = os.open(root / "deeper", os.O_RDONLY)
    for _ in range(25):
        os.mkdir(step, dir_fd=at)
        below = os.open(step, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.close(at)
    long = "deeper"
    while len(os.fsencode(root / long / step)) < 4096:
        long += f"/{step}"
    yield f"{long}/{step}", Expectation("folders", _UNREAD)
    for number in range(50):
        (root / "empty" / str(number)).mkdir(parents=True)
    (root / "empty" / "folder.png").mkdir()
    _write(root / "empty" / "folder.png" / "inside.png", content)
    yield "empty/folder.png/inside.png", Expectation("folders", _KEPT)
    (root / "wide").mkdir()
    for number in range(100):
        (root / "wide" / f"class {number}").mkdir()
        _write(root / "wide" / f"class {number}" / "1.png", content)
        yield f"wide/class {number}/1.png", Expectation("folders", _KEPT)


def links(root: Path, outside: Path, rng: np.random.Generator) -> Iterator[Made]:
    """Links to inside, to outside, to nothing, to themselves, to folders and devices."""
    folder = root / "links"
    folder.mkdir()
    outside.mkdir(exist_ok=True)
    content = encoded(picture(rng, "RGB", 12, 9), "PNG")
    _write(folder / "real.png", content)
    _write(outside / "secret.png", content)
    yield "links/real.png", Expectation("links", _KEPT)
    made = {
        "inside.png": ("real.png", _KEPT),
        "inside, absolute.png": (str(folder / "real.png"), _KEPT),
        "inside, the long way.png": ("../links/../links/./real.png", _KEPT),
        "link to a link.png": ("inside.png", _KEPT),
        "outside.png": (f"../../{outside.name}/secret.png", _UNREAD),
        "outside, absolute.png": (str(outside / "secret.png"), _UNREAD),
        "to nothing.png": ("nothing.png", _UNREAD),
        "to itself.png": ("to itself.png", _UNREAD),
        "one of two.png": ("two of two.png", _UNREAD),
        "two of two.png": ("one of two.png", _UNREAD),
        "passwd.jpg": ("/etc/passwd", _UNREAD),
        "zero.png": ("/dev/zero", _UNREAD),
        "random.png": ("/dev/urandom", _UNREAD),
        "full.png": ("/dev/full", _UNREAD),
        "stdin.png": ("/dev/stdin", _UNREAD),
        "tty.png": ("/dev/tty", _UNREAD),
        "memory.png": ("/proc/self/mem", _UNREAD),
        "itself.png": ("/proc/self/exe", _UNREAD),
        "too long.png": ("n" * 255 + "/" + "n" * 255, _UNREAD),
        "with a new\nline.png": ("nothing\nat all", _UNREAD),
        "through a file.png": ("real.png/../real.png", _UNREAD),
        "folder above.png": ("..", _PASSED),
        "folder itself.png": (".", _PASSED),
        "root.png": ("/", _PASSED),
        "folder outside.png": (str(outside), _PASSED),
    }
    for name, (target, what) in made.items():
        (folder / name).symlink_to(target)
        yield f"links/{name}", Expectation("links", what)
    (folder / "hard.png").hardlink_to(folder / "real.png")
    yield "links/hard.png", Expectation("links", _KEPT)
    (folder / "hard to a link.png").hardlink_to(folder / "outside.png")
    yield "links/hard to a link.png", Expectation("links", _UNREAD)


def special(root: Path, rng: np.random.Generator) -> Iterator[Made]:
    """Pipes, sockets, devices where that is allowed, files with holes, and unreadable ones."""
    folder = root / "special"
    folder.mkdir()
    content = encoded(picture(rng, "RGB", 12, 9), "PNG")
    os.mkfifo(folder / "pipe.png")
    yield "special/pipe.png", Expectation("special", _UNREAD)
    (folder / "linked pipe.png").symlink_to("pipe.png")
    yield "special/linked pipe.png", Expectation("special", _UNREAD)
    if _bind(folder / "socket.png"):
        yield "special/socket.png", Expectation("special", _UNREAD)
    for name, kind, numbers in (("null", stat.S_IFCHR, (1, 3)), ("zero", stat.S_IFCHR, (1, 5))):
        if _tried(lambda: os.mknod(folder / f"{name}.png", 0o600 | kind, os.makedev(*numbers))):  # noqa: B023
            yield f"special/{name}.png", Expectation("special", _UNREAD)
    sparse = {"5 gigabytes.png": 5 << 30, "16 terabytes.jpg": (16 << 40) - 4096}
    for name, size in sparse.items():
        _write(folder / name, content)
        if _tried(lambda: os.truncate(folder / name, size)):  # noqa: B023
            yield f"special/{name}", Expectation("special", ends("too large"))
        else:
            (folder / name).unlink()
    _write(folder / "holes.png", content)
    os.truncate(folder / "holes.png", 50 << 20)
    yield "special/holes.png", Expectation("special", _KEPT)
    _write(folder / "closed.png", content)
    (folder / "closed.png").chmod(0)
    root_reads_all = os.access(folder / "closed.png", os.R_OK)
    yield "special/closed.png", Expectation("special", _KEPT if root_reads_all else _UNREAD)
    (folder / "closed").mkdir()
    _write(folder / "closed" / "1.png", content)
    (folder / "closed").chmod(0)
    if root_reads_all:
        yield "special/closed/1.png", Expectation("special", _KEPT)
    else:
        yield "special/closed", Expectation("special", _UNREAD)
    _write(folder / "old.png", content)
    os.utime(folder / "old.png", (-(1 << 31), -(1 << 31)))
    yield "special/old.png", Expectation("special", _KEPT)


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _tried(make: Callable[[], object]) -> bool:
    """Whether it was allowed; not every system or user may."""
    try:
        make()
    except OSError:
        return False
    return True


def _bind(path: Path) -> bool:
    """Makes a socket; its path has to be short, so it is told from its own folder."""
    back = os.open(".", os.O_RDONLY)
    try:
        os.chdir(path.parent)
        with socket.socket(socket.AF_UNIX) as opened:
            return _tried(lambda: opened.bind(path.name))
    finally:
        os.fchdir(back)
        os.close(back)
