"""Finding pictures that are like one: `index` and `search`.

An index is one safetensors file: a vector for each picture, the pictures' names and content keys, and in its
header whose vectors they are. Told again to index a source that has changed, only new pictures are looked at.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64, UInt8, UInt64

from impasto.data.config import DataConfig
from impasto.data.crop import resample
from impasto.data.prepared import Prepared, is_prepared
from impasto.data.spread import evenly
from impasto.errors import BadInput, ConfigError, ModelError, SourceError
from impasto.evaluation.extractors import Extractor, find_extractor
from impasto.latents.neighbours import Neighbours, graph_of, recall
from impasto.nn.pretrained import find
from impasto.nn.weights import read_facts, read_tensors, write_tensors
from impasto.sheets import tile
from impasto.workflows.pictures import Report
from impasto.workflows.reading import (
    BLOCK,
    Opened,
    names_of,
    opened,
    picture,
    pictures,
    written,
)
from impasto.workflows.remembering import HEAD, recalled, remember
from impasto.workflows.results import PICTURES, write_picture

FORMAT = 1
BESIDE = "mobilenet-v2"  # whose recall is told beside that of one's own latents
COMPARED = 2_000  # pictures that a recall is taken from
AT = 10  # nearest others that it looks at
SEEN = 224  # pixels on a side of pictures that only an extractor sees

# The way that own codes are compared; where it changes, what was indexed must be so again.
COMPARING = 2
TINY = 1e-6  # the least variance that an axis is divided by

Pictures = UInt8[np.ndarray, "n h w c"]
Vectors = Float32[np.ndarray, "n d"]
Look = Callable[[Prepared, Int64[np.ndarray, " n"]], Float[np.ndarray, "n d"]]


@dataclass(frozen=True)
class Indexed:
    """What an indexing did.

    Attributes:
        pictures: in the index now.
        added: of them, looked at this time.
        removed: that were in it and are not in the source any more.
        dimensions: numbers in a vector.
        truth: what recall was measured by.
        recalls: share of the nearest that are right, by whose vectors.
    """

    pictures: int
    added: int
    removed: int
    dimensions: int
    truth: str
    recalls: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Match:
    """A picture that was found, and the cosine of its vector with what was looked for."""

    name: str
    likeness: float


def index(
    source: str | Path,
    to: str | Path,
    *,
    model: str | Path | None = None,
    extractor: str | None = None,
    classes: tuple[str, ...] = (),
    only: tuple[str, ...] = (),
    limit: int | None = None,
    report: Report | None = None,
) -> Indexed:
    """Writes an index of a source's pictures, or brings one up to date.

    Args:
        source: the pictures.
        to: the index's file; what is in it by the same model is not looked at again.
        model: whose codes are compared, a run's directory or a model.safetensors file of an autoencoder,
        extractor: or whose features are.
        classes: keep these only.
        only: keep names that match one of these patterns.
        limit: keep at most so many.
        report: told how many pictures are done, of how many.

    Raises:
        BadInput: source, model or extractor cannot be used, or nothing can be written there.
    """
    eye = eye_of(model, extractor)
    prepared = pictures(source, eye.data, classes=classes, only=only, limit=limit, report=report)
    target = Path(to)
    before = _read(target) if target.exists() else None
    if before is not None:
        _check(before.facts, eye, f"{target}: name another --to, or delete it first: it was made")
    keys = np.array(_keys(prepared), np.uint64)
    vectors = np.empty((len(prepared), eye.dimensions), np.float32)
    old = {int(key): row for row, key in enumerate(before.keys)} if before else {}
    rows = np.array([old.get(int(key), -1) for key in keys], np.int64)
    if before is not None:
        vectors[rows >= 0] = before.vectors[rows[rows >= 0]]
    fresh = np.flatnonzero(rows < 0)
    vectors[fresh] = eye.looked(prepared, fresh, report)
    facts = {
        "format": FORMAT,
        "by": eye.name,
        "digest": eye.digest,
        "model": str(Path(model).resolve()) if model else None,
        "extractor": str(Path(extractor).resolve())
        if extractor and Path(extractor).is_file()
        else extractor,
        "source": prepared.source,
        "credit": prepared.credit,
        "prepared": str(prepared.path.resolve()),
    }
    tensors = {
        "vectors": torch.from_numpy(vectors),
        "keys": torch.from_numpy(keys.astype(np.uint64).view(np.int64).copy()),
        "names": _bytes(json.dumps(names_of(prepared)).encode()),
        "graph": _bytes(graph_of(vectors) or b""),
    }
    write_tensors(written(target), tensors, facts)
    truth, recalls = _recalls(prepared, vectors, eye)
    gone = len(set(old) - {int(key) for key in keys})
    return Indexed(len(prepared), len(fresh), gone, eye.dimensions, truth, recalls)


def search(
    path: str | Path,
    picture_file: str | Path,
    *,
    count: int = 12,
    to: str | Path | None = None,
    model: str | Path | None = None,
    extractor: str | None = None,
) -> list[Match]:
    """The pictures of an index that are most like one, best first.

    Args:
        path: the index's file.
        picture_file: what is looked for.
        count: how many, at most.
        to: a picture of those found, with the one looked for before them.
        model: that it was made by, if it lies elsewhere now.
        extractor: the same.

    Raises:
        BadInput: index or picture cannot be used, or the index's model is not to be found.
    """
    if count < 1:
        raise ConfigError(f"-k {count}: must be above zero")
    held = _read(Path(path))
    eye = _again(held.facts, model, extractor, where=str(path))
    image = picture(picture_file, eye.data)
    rows, cosines = Neighbours(held.vectors, held.graph).nearest(eye.see(image[None]), count)
    if to is not None:
        _draw(Path(to), held, eye.data, image, rows[0])
    return [
        Match(held.names[row], float(cosine))
        for row, cosine in zip(rows[0], cosines[0], strict=True)
    ]


def _again(
    facts: Mapping[str, Any], model: str | Path | None, extractor: str | None, *, where: str
) -> "Eye":
    """What made an index: as it is named, or where it was, or where it was seen last."""
    if model is None and extractor is None:
        model, extractor = facts["model"], facts["extractor"]
        if model is not None and not Path(model).exists():
            head = bytes.fromhex(facts["digest"].split()[0])[:HEAD]
            model = recalled(head, None, where=f"{where}: made").path
    eye = eye_of(model, extractor)
    _check(facts, eye, f"{where}: made")
    return eye


def _check(facts: Mapping[str, Any], eye: "Eye", what: str) -> None:
    """That an index is of what this sees."""
    if facts["digest"] == eye.digest:
        return
    if facts["digest"].split()[0] == eye.digest.split()[0]:
        raise ModelError(
            f"{what} by this model in an older way; delete it and index the pictures again"
        )
    raise ModelError(
        f"{what} by another model ({facts['by']}) than {eye.name}; name that one with --model"
    )


def _bytes(content: bytes) -> torch.Tensor:
    return torch.from_numpy(np.frombuffer(content, np.uint8).copy())


@dataclass(frozen=True)
class Eye:
    """What turns pictures into vectors: a model's encoder or an extractor."""

    name: str
    digest: str
    dimensions: int
    data: DataConfig
    see: Callable[[Pictures], Vectors]
    look: Look
    own: bool

    def looked(
        self, prepared: Prepared, some: Int64[np.ndarray, " n"], report: Report | None
    ) -> Vectors:
        """The vectors of these pictures of a set, a block at a time."""
        vectors = np.empty((len(some), self.dimensions), np.float32)
        for start in range(0, len(some), BLOCK):
            block = some[start : start + BLOCK]
            vectors[start : start + len(block)] = self.look(prepared, block)
            if report is not None:
                report(start + len(block), len(some))
        return vectors


def eye_of(model: str | Path | None, extractor: str | None) -> Eye:
    """What turns pictures into vectors: a model or an extractor.

    Raises:
        BadInput: neither is named, or both, or it cannot be used.
    """
    if (model is None) == (extractor is None):
        raise ConfigError(
            "index: name --model, whose codes are compared, or --extractor, and not both"
        )
    if model is not None:
        own = opened(model)
        remember(own)
        return _own(own)
    assert extractor is not None
    return _pretrained(find_extractor(extractor), DataConfig(size=SEEN))


def _own(model: Opened) -> Eye:
    """A model's codes, so that likeness is not the likeness of what varies most, nor of sides.

    Along each principal axis they are divided by the root of the deviation: wholly whitened, classes lie less
    well apart; not at all, most of a cosine is light and dark. Where mirrored pictures are like any others to the
    model, a picture has the mean of its own code and its mirror image's.
    """
    coder = model.coder
    center, covariance = coder.density.moments()
    spread, axes = torch.linalg.eigh(covariance)
    scaled = (axes * spread.clamp(min=TINY) ** -0.25 @ axes.T).float()  # whatever the axes' signs

    def coded(images: Pictures) -> Vectors:
        codes = coder.encode(images)
        if model.data.flip:
            codes = (codes + coder.encode(images[:, :, ::-1].copy())) / 2
        told: np.ndarray = ((codes - center.float()) @ scaled).numpy()
        return told

    def look(prepared: Prepared, some: Int64[np.ndarray, " n"]) -> Vectors:
        return coded(prepared.images(some))

    digest = f"{model.digest.hex()} {COMPARING}"
    return Eye(str(model.path), digest, coder.latents, model.data, coded, look, own=True)


def _pretrained(extractor: Extractor, data: DataConfig) -> Eye:
    def look(prepared: Prepared, some: Int64[np.ndarray, " n"]) -> Float[np.ndarray, "n d"]:
        return extractor(prepared.images(some))

    digest = f"{extractor.digest} {extractor.resize}"
    return Eye(
        extractor.name, digest, extractor.dimensions, data, extractor.__call__, look, own=False
    )


def _keys(prepared: Prepared) -> list[int]:
    """What each picture's content is known by."""
    found: list[int] = prepared.arrays.keys[prepared.slots(np.arange(len(prepared)))].tolist()
    return found


@dataclass(frozen=True)
class _Held:
    vectors: Vectors
    keys: UInt64[np.ndarray, " n"]
    names: list[str]
    graph: bytes | None
    facts: dict[str, Any]


def _read(path: Path) -> _Held:
    if not path.is_file():
        raise BadInput(
            f"{path}: there is no such index; make one with `impasto index SOURCE --to {path}`"
        )
    facts = read_facts(path)
    if "format" not in facts or "digest" not in facts:
        raise ModelError(f"{path}: not an index; make one with `impasto index SOURCE --to FILE`")
    if facts["format"] > FORMAT:
        raise ModelError(
            f"{path}: written by a newer impasto; upgrade with `pip install --upgrade impasto`"
        )
    tensors, facts = read_tensors(path)
    names = json.loads(bytes(tensors["names"].numpy()))
    keys = tensors["keys"].numpy().view(np.uint64)
    graph = bytes(tensors["graph"].numpy()) if "graph" in tensors else b""
    return _Held(tensors["vectors"].numpy(), keys, names, graph or None, facts)


def _recalls(prepared: Prepared, vectors: Vectors, eye: Eye) -> tuple[str, dict[str, float]]:
    """How much of what is nearest is right: by labels where there are, else by altered copies."""
    some = evenly(np.arange(len(prepared)), COMPARED)
    eyes = [eye]
    if eye.own and find(BESIDE):
        eyes.append(_pretrained(find_extractor(BESIDE), eye.data))
    seen = [vectors[some] if each is eye else each.look(prepared, some) for each in eyes]
    for name, values in prepared.label_names.items():
        column = prepared.labels(some)[:, list(prepared.label_names).index(name)]
        known = column >= 0
        counts = np.bincount(column[known], minlength=len(values))
        if (counts >= 2).sum() >= 2:
            found = {
                _told(each): recall(rows[known], column[known].tolist(), at=AT)
                for each, rows in zip(eyes, seen, strict=True)
            }
            return f"same {name} among the {AT} nearest", found
    if len(some) < 2:
        return "nothing: too few pictures", {}
    copies = altered(prepared.images(some), mirrored=eye.data.flip)
    found = {}
    for each, rows in zip(eyes, seen, strict=True):
        nearest, _ = Neighbours(rows).exactly(each.see(copies), 1)
        found[_told(each)] = float((nearest[:, 0] == np.arange(len(some))).mean())
    how = "mirrored, cut" if eye.data.flip else "cut"
    return f"{how} and darkened copies find their original first", found


def _told(eye: Eye) -> str:
    return "own latents" if eye.own else eye.name


def altered(images: Pictures, *, mirrored: bool) -> Pictures:
    """The pictures cut by a tenth and darkened by a fifth, and mirrored where sides do not count."""
    side = images.shape[1]
    box = 0.05 * side, 0.05 * side, 0.95 * side, 0.95 * side
    cut = np.stack([resample(image, box, side) for image in images])
    darker: np.ndarray = (cut.astype(np.float32) * 0.8).round().astype(np.uint8)
    return darker[:, :, ::-1].copy() if mirrored else darker


def _draw(
    target: Path,
    held: _Held,
    data: DataConfig,
    image: UInt8[np.ndarray, "h w c"],
    rows: Sequence[int] | Int64[np.ndarray, " k"],
) -> None:
    if target.suffix.lower() not in PICTURES:
        raise BadInput(f"--to {target}: name a .png, .jpg or .webp file")
    home = Path(held.facts["prepared"])
    prepared = Prepared.open(home).viewed(data) if is_prepared(home) else None
    places = {} if prepared is None else {key: at for at, key in enumerate(_keys(prepared))}
    wanted = [places.get(int(held.keys[row])) for row in rows]
    if prepared is None or None in wanted:
        raise SourceError(
            f"{home}: pictures that were indexed are not there any more; index them again to see them"
        )
    found = prepared.images(np.array(wanted, np.int64))
    write_picture(tile(np.concatenate([image[None], found])), written(target))
