"""Finding pictures that are unlike the normal ones: `anomalies`."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int64, UInt8
from sklearn.metrics import roc_auc_score

from impasto.data.config import DataConfig
from impasto.data.prepared import Prepared
from impasto.errors import BadInput, ConfigError, SourceError, nearest
from impasto.evaluation.evaluation import FEWEST
from impasto.evaluation.extractors import find_extractor
from impasto.evaluation.sight import Sight
from impasto.families.autoencoder import AutoencoderConfig
from impasto.families.coder import AutoencoderModel
from impasto.latents.anomalies import PARTS, Normals, Ranking, ranking
from impasto.runs.config import RunConfig, TrainConfig
from impasto.runs.export import read_config, write_model
from impasto.runs.oddness import familiar, oddness, returned, unlike
from impasto.sheets import write_png
from impasto.views.heat import heated
from impasto.workflows.choosing import choose
from impasto.workflows.pictures import Report
from impasto.workflows.reading import Opened, made, names_of, opened, pictures, written
from impasto.workflows.training import Training, train

NORMAL = ("good", "normal", "ok")  # names of classes that are normal, if none are named
BLOCK = 512
LATENTS, WIDTH = 32, 16  # of a model of normal pictures: narrow, so that others do not pass
BATCH = 32
TRAINED = 0.9  # share of the normal pictures, the others being held out
RATE = 0.01  # share of normal pictures that a threshold calls odd, by default


@dataclass(frozen=True)
class Checked:
    """A picture that was looked at."""

    name: str
    score: float
    odd: bool
    parts: dict[str, float]


@dataclass(frozen=True)
class Anomalies:
    """What was found, the oddest first.

    Attributes:
        pictures: that were looked at.
        threshold: of the score.
        rate: share of normal pictures above it, at most.
        normals: held-out pictures that it was taken from.
        told_apart: how well the pictures are told from held-out normal ones, if all of them are odd: AUROC.
        ranking: how well the odd ones among them are told from the others, where classes say which are.
        heat: where the pictures of what is odd are.
    """

    pictures: list[Checked]
    threshold: float
    rate: float
    normals: int
    told_apart: float
    ranking: Ranking | None
    heat: Path | None

    def to_plain(self) -> dict[str, Any]:
        """As JSON tells it."""
        return {
            "pictures": [asdict(each) for each in self.pictures],
            "checked": len(self.pictures),
            "odd": sum(each.odd for each in self.pictures),
            "threshold": self.threshold,
            "false_alarm_rate": self.rate,
            "held_out_normals": self.normals,
            "auroc_against_held_out": self.told_apart,
            **(
                asdict(self.ranking)
                if self.ranking
                else {"auroc": None, "average_precision": None, "found": None, "false_alarms": None}
            ),
            "heat": str(self.heat) if self.heat else None,
        }


def learn_normals(
    normal: str | Path,
    *,
    to: str | Path | None = None,
    minutes: float = 10.0,
    images: int | None = None,
    classes: tuple[str, ...] = (),
    report: Report | None = None,
) -> Training:
    """A run under way that learns what these pictures are like; its model tells which others are odd.

    Args:
        normal: pictures, of which a tenth is held out to set the threshold by.
        to: the run's directory; the next free one below `runs/` by default.
        minutes: how long to learn, unless a number of images is given.
        images: to learn on.
        classes: which of the pictures are normal; all by default.
        report: told how many pictures are prepared, of how many.

    Raises:
        BadInput: source or directory cannot be used.
    """
    chosen, _ = choose(normal, DataConfig(classes=classes))
    data = replace(chosen.data, flip=False, validation=1 - TRAINED)
    count = len(pictures(normal, data, classes=classes, report=report))
    recipe = RunConfig(
        name="normals",
        description="What normal pictures are like, to find others that are odd.",
        data=data,
        family=AutoencoderConfig(latents=LATENTS, width=WIDTH),
        train=TrainConfig(batch=max(1, min(BATCH, int(TRAINED * count) // 2))),
    )
    budget: dict[str, Any] = {"minutes": minutes} if images is None else {"images": images}
    return train(normal, recipe=recipe, to=to, classes=classes, report=report, **budget)


def anomalies(
    path: str | Path,
    check: str | Path,
    *,
    normal: str | Path | None = None,
    rate: float | None = None,
    normal_classes: Sequence[str] = (),
    heat: str | Path | None = None,
    classes: tuple[str, ...] = (),
    only: tuple[str, ...] = (),
    limit: int | None = None,
    report: Report | None = None,
) -> Anomalies:
    """How odd the pictures of a source are to a model of normal ones.

    Args:
        path: a run's directory or a model.safetensors file, of an autoencoder that learnt normal pictures.
        check: the pictures to look at.
        normal: normal pictures that were not trained on; the threshold is set by them and kept in the model.
            By default those that were held out when it was trained.
        rate: share of normal pictures that the threshold is to call odd; 0.01 by default.
        normal_classes: of the pictures to look at; a class named good, normal or ok by default.
        heat: a folder for pictures of what is odd in each that is.
        classes: keep these only.
        only: keep names that match one of these patterns.
        limit: keep at most so many.
        report: told how many pictures are done, of how many.

    Raises:
        BadInput: model or pictures cannot be used, or too few normal pictures were held out.
    """
    if rate is not None and not 0 < rate < 1:
        raise ConfigError(f"--rate {rate}: a share between 0 and 1")
    model = opened(path)
    coder = model.coder
    settled = coder.provenance.get("settled", {})
    sight = Sight(find_extractor(settled.get("extractor", "random")))
    normals = (
        _known(model, rate)
        if normal is None
        else _learnt(
            model, sight, _normal(model, normal, normal_classes, report), rate or RATE, report
        )
    )
    prepared = pictures(check, model.data, classes=classes, only=only, limit=limit, report=report)
    truth = _truth(prepared, normal_classes)
    learnt = normal is not None or set(normal_classes) & {*read_config(model.path).data.classes}
    if normal_classes and truth is None and not learnt:
        there = [value for values in prepared.label_names.values() for value in values]
        raise ConfigError(
            f"--normal-classes {' '.join(normal_classes)}: the pictures have no such class; leave it out: "
            f"{nearest(normal_classes[0], there)}"
        )
    parts = _parts(coder, sight, prepared, np.arange(len(prepared)), report)
    scores = normals.score(parts)
    order = np.argsort(-scores, kind="stable")
    names = names_of(prepared)
    found = [
        Checked(
            names[place],
            float(scores[place]),
            bool(scores[place] > normals.threshold),
            dict(zip(PARTS, map(float, parts[place]), strict=True)),
        )
        for place in order
    ]
    folder = None
    if heat is not None:
        odd = order[scores[order] > normals.threshold]
        folder = _draw(Path(heat), coder, prepared, odd, names)
    apart = np.concatenate([normals.held_out, scores])
    return Anomalies(
        found,
        normals.threshold,
        normals.told_rate,
        len(normals.held_out),
        float(roc_auc_score(np.arange(len(apart)) >= len(normals.held_out), apart)),
        None if truth is None else ranking(scores[truth.there], truth.odd, normals.threshold),
        folder,
    )


def _known(model: Opened, rate: float | None) -> Normals:
    """How normal pictures lie, as the model's file tells."""
    told = model.coder.provenance.get("settled", {}).get("normals")
    if not told or model.coder.familiar is None:
        raise BadInput(
            f"{model.path}: it does not know how normal pictures lie, for too few were held out when it was trained; "
            "give --normal pictures"
        )
    normals = Normals.from_plain(told)
    return normals if rate is None else normals.at(rate)


def _normal(
    model: Opened, source: str | Path, classes: Sequence[str], report: Report | None
) -> Prepared:
    """Normal pictures to set a threshold by."""
    prepared = pictures(source, model.data, classes=tuple(classes), report=report)
    if len(prepared) < FEWEST:
        raise SourceError(
            f"--normal {source}: {len(prepared)} pictures are too few; give {FEWEST} or more"
        )
    return prepared


def _learnt(
    model: Opened,
    sight: Sight,
    prepared: Prepared,
    rate: float,
    report: Report | None,
) -> Normals:
    """How these normal pictures lie, which the model's file tells from now on."""
    coder, places = model.coder, np.arange(len(prepared))
    if coder.familiar is None:  # its training left too early to tell
        coder.familiar = familiar(sight.of_prepared(prepared, places[::2]))
        places = places[1::2]
    normals = Normals.of(_parts(coder, sight, prepared, places, report), rate)
    told = {"extractor": sight.extractor.name, "normals": normals.to_plain()}
    settled = coder.provenance.get("settled", {}) | told
    coder.provenance = coder.provenance | {"settled": settled}
    write_model(coder, read_config(model.path), model.path)
    return normals


def _parts(
    model: AutoencoderModel,
    sight: Sight,
    prepared: Prepared,
    places: Int64[np.ndarray, " n"],
    report: Report | None,
) -> Float[np.ndarray, "n 3"]:
    found = [np.empty((0, len(PARTS)))]
    for start in range(0, len(places), BLOCK):
        some = places[start : start + BLOCK]
        found.append(oddness(model, sight, prepared.images(some)))
        if report is not None:
            report(start + len(some), len(places))
    return np.concatenate(found)


@dataclass(frozen=True)
class _Truth:
    """Which pictures have a class, and which of those are odd."""

    there: Bool[np.ndarray, " n"]
    odd: Bool[np.ndarray, " m"]


def _truth(prepared: Prepared, normal: Sequence[str]) -> _Truth | None:
    """What classes tell, where there are any; by those that are normal."""
    for column, values in enumerate(prepared.label_names.values()):
        usual = set(values) & set(normal or NORMAL)
        if usual:
            labels = prepared.labels(np.arange(len(prepared)))[:, column]
            places = [values.index(value) for value in usual]
            there = labels >= 0
            return _Truth(there, ~np.isin(labels[there], places))
    return None


def _draw(
    folder: Path,
    model: AutoencoderModel,
    prepared: Prepared,
    odd: np.ndarray,
    names: Sequence[str],
) -> Path:
    """Each odd picture, what came back of it, and where they are unlike."""
    made(folder, "--heat")
    told = {}
    for rank, place in enumerate(odd.tolist()):
        image: UInt8[np.ndarray, "1 h w c"] = prepared.images(np.array([place]))
        back = returned(model, image)
        file = folder / f"{rank + 1:05d}.png"
        write_png(heated(image[0], back[0], unlike(image, back)[0]), written(file))
        told[file.name] = names[place]
    (folder / "names.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return folder
