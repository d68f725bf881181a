"""What can be typed. Every command is a frozen dataclass: its fields are its arguments.

Nothing heavy is imported here, so that help comes at once.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, UseAppendAction, arg

from impasto.cli import styles, uses
from impasto.cli.arguments import (
    Among,
    Classes,
    Device,
    Devices,
    Epochs,
    EvaluateEvery,
    Extractor,
    FrameStep,
    Images,
    Json,
    Labels,
    Limit,
    Memory,
    Minutes,
    Only,
    Patience,
    Pictures,
    Soften,
    Source,
    Steps,
)


@dataclass(frozen=True)
class Recipes:
    """Lists the recipes; `recipes show NAME` prints one as YAML, to edit and pass back."""

    words: Annotated[
        Positional[tuple[str, ...]], arg(metavar="[show NAME]", help="Print one recipe.")
    ] = ()
    json: Json = False


@dataclass(frozen=True)
class Inspect:
    """Looks at all of a source's pictures: sizes, classes, flaws, duplicates, and what to make of them."""

    source: Source
    html: Annotated[
        Path | None,
        arg(help="Put it all into one page too, with the pictures.", metavar="FILE"),
    ] = None
    classes: Classes = ()
    only: Only = ()
    limit: Limit = None
    labels: Labels = None
    frame_step: FrameStep = 30
    json: Json = False


@dataclass(frozen=True)
class Prepare:
    """Decodes, cuts and resizes a source's pictures once, into a set that training reads at once."""

    source: Source
    to: Annotated[Path, arg(help="The set's directory.", metavar="DIR")]
    size: Annotated[
        int | None, arg(help="Side in pixels; 64, or 128 with a subject.", metavar="N")
    ] = None
    crop: Annotated[
        Literal["center", "squash", "pad", "random"],
        arg(help="What is kept of a picture that is not square; random is drawn at training time."),
    ] = "center"
    channels: Annotated[Literal[1, 3], arg(help="3 for colour, 1 for grey.")] = 3
    background: Annotated[
        str,
        arg(
            help="What shows through transparent pixels, and around padded ones.", metavar="#RRGGBB"
        ),
    ] = "#ffffff"
    classes: Classes = ()
    only: Only = ()
    limit: Limit = None
    labels: Labels = None
    frame_step: FrameStep = 30
    subject: Annotated[
        str,
        arg(
            help="What to find and cut out: whole (all of it), a face, or what your own detector finds.",
            metavar="whole|cat-face|human-face|FILE.xml|FILE.onnx",
        ),
    ] = "whole"
    grow: Annotated[
        float, arg(help="Side of what is cut out over the side of the box found.", metavar="X")
    ] = 2.0
    border: Annotated[
        Literal["clip", "pad"], arg(help="What to do where that reaches over the picture's edge.")
    ] = "clip"
    boxes: Annotated[
        Literal["best", "every"], arg(help="Cut out the surest subject of a picture, or all.")
    ] = "best"
    detector: Annotated[
        Literal["default", "published"],
        arg(help="The detector's settings: chosen by measurement, or as published."),
    ] = "default"
    smallest: Annotated[
        float | None,
        arg(help="Least side of a box over the picture's short side.", metavar="X"),
    ] = None
    scale_factor: Annotated[
        float | None, arg(help="Between the sizes that a cascade looks for.", metavar="X")
    ] = None
    neighbors: Annotated[
        int | None, arg(help="More windows of a cascade than so many must agree.", metavar="N")
    ] = None
    score: Annotated[
        float | None, arg(help="Least certainty, in the detector's own measure.", metavar="X")
    ] = None
    rules: Annotated[
        tuple[str, ...],
        arg(
            help="Changes to what is thrown out, such as blurred=off near_duplicate=8; off for nothing.",
            metavar="off|NAME=NUMBER|NAME=off",
        ),
    ] = ()
    workers: Annotated[
        int | None, arg(help="Processes that decode; one a core by default.", metavar="N")
    ] = None
    engine: Annotated[
        Literal["processes", "ray"],
        arg(help="Who does the work: processes here, or Ray (needs impasto[ray])."),
    ] = "processes"
    shards: Annotated[int, arg(help="Files to spread the pixels over.", metavar="N")] = 1
    json: Json = False


@dataclass(frozen=True)
class Review:
    """Opens a page, on this machine only, to look through a prepared set and reject or restore pictures."""

    set: Annotated[
        Positional[Path],
        arg(metavar="DIR", help="A set's directory, as `impasto prepare` made it."),
    ]
    port: Annotated[int, arg(help="Of the page; any that is free by default.", metavar="N")] = 0
    no_browser: Annotated[bool, arg(help="Print the page's address and open nothing.")] = False


@dataclass(frozen=True)
class Train:
    """Trains a generator on a source of pictures; Ctrl-C, or a file named STOP in the run, ends it politely."""

    source: Source
    recipe: Annotated[
        str | None,
        arg(
            help="A recipe's name or YAML file; chosen by the pictures by default.",
            metavar="NAME|FILE",
        ),
    ] = None
    to: Annotated[
        Path | None, arg(help="The run's directory; below runs/ by default.", metavar="RUN")
    ] = None
    minutes: Minutes = None
    images: Images = None
    epochs: Epochs = None
    steps: Steps = None
    set: Annotated[
        UseAppendAction[tuple[tuple[str, ...], ...]],
        arg(
            help="Change a setting of the recipe, such as train.batch=32.",
            metavar="PART.FIELD=VALUE",
        ),
    ] = ()
    seed: Annotated[int | None, arg(help="Of weights, noise and order.", metavar="N")] = None
    device: Device = None
    devices: Devices = None
    classes: Classes = ()
    only: Only = ()
    limit: Limit = None
    evaluate_every: EvaluateEvery = None
    patience: Patience = None
    heal: Annotated[bool, arg(help="Apply remedies to what goes wrong, within bounds.")] = False
    json: Json = False


@dataclass(frozen=True)
class Resume:
    """Goes on with a run from its last saved state; a budget given here is added to what is done."""

    run: Annotated[Positional[Path], arg(metavar="RUN", help="The run's directory.")]
    minutes: Minutes = None
    images: Images = None
    epochs: Epochs = None
    steps: Steps = None
    device: Device = None
    devices: Devices = None
    evaluate_every: EvaluateEvery = None
    patience: Patience = None
    memory: Memory = None
    json: Json = False


@dataclass(frozen=True)
class Sample:
    """Draws pictures from a model: one grid, or one file each."""

    model: Annotated[
        Positional[Path],
        arg(metavar="RUN|MODEL", help="A run's directory or its model.safetensors."),
    ]
    n: Annotated[int, arg(aliases=["-n"], help="How many.", metavar="N")] = 64
    seed: Annotated[
        int, arg(help="Which; picture i of a seed is always the same.", metavar="N")
    ] = 0
    condition: Annotated[
        tuple[str, ...],
        arg(
            help="What they are to show, of a conditional model: a value, or ATTRIBUTE=VALUE.",
            metavar="VALUE",
        ),
    ] = ()
    to: Annotated[
        Path | None, arg(help="A picture's name for one grid, else a directory.", metavar="PNG|DIR")
    ] = None
    json: Json = False


@dataclass(frozen=True)
class Evaluate:
    """Scores a model, or any pictures, against real ones: every number with its error and its protocol."""

    what: Annotated[
        Positional[str],
        arg(
            metavar="RUN|MODEL|FOLDER", help="A run, a model.safetensors, or a source of pictures."
        ),
    ]
    against: Annotated[
        str, arg(help="Real pictures: any source, or a prepared set.", metavar="SOURCE")
    ]
    extractor: Extractor = "mobilenet-v2"
    pictures: Pictures = 2_000
    among: Among = 10_000
    split: Annotated[
        Literal["all", "training", "held-out"] | None,
        arg(help="Which real pictures, of the set that the model was trained on."),
    ] = None
    size: Annotated[
        int | None, arg(help="Side at which pictures are compared, in pixels.", metavar="N")
    ] = None
    soften: Soften = None
    seed: Annotated[int, arg(help="Of the samples.", metavar="N")] = 0
    classes: Classes = ()
    only: Only = ()
    device: Annotated[Literal["cpu", "cuda", "mps"], arg(help="Where the extractor runs.")] = "cpu"
    html: Annotated[
        Path | None,
        arg(
            help="Page of scores and of the likeliest copies; within the run by default.",
            metavar="FILE",
        ),
    ] = None
    json: Json = False


@dataclass(frozen=True)
class Doctor:
    """Says what ails a run, or ailed it: symptom, evidence, cause and remedy; also while it trains."""

    run: Annotated[Positional[Path], arg(metavar="RUN", help="The run's directory.")]
    json: Json = False


@dataclass(frozen=True)
class Compare:
    """Scores two or more models by one protocol and shows them side by side."""

    runs: Annotated[
        Positional[tuple[str, ...]],
        arg(metavar="RUN|MODEL RUN|MODEL ...", help="Runs, or files of models."),
    ]
    against: Annotated[
        str | None,
        arg(
            help="Real pictures: any source, or a prepared set; by default what the first run was trained on.",
            metavar="SOURCE",
        ),
    ] = None
    extractor: Extractor = "mobilenet-v2"
    pictures: Pictures = 2_000
    among: Among = 10_000
    split: Annotated[
        Literal["all", "training", "held-out"] | None,
        arg(help="Which real pictures, where all were trained on the same ones."),
    ] = None
    soften: Soften = None
    seed: Annotated[int, arg(help="Of the samples.", metavar="N")] = 0
    device: Annotated[Literal["cpu", "cuda", "mps"], arg(help="Where the extractor runs.")] = "cpu"
    html: Annotated[
        Path, arg(help="Page with scores, curves and pictures side by side.", metavar="FILE")
    ] = Path("compare.html")
    json: Json = False


@dataclass(frozen=True)
class Weights:
    """Lists the published weights that impasto knows; with a name, downloads and checks them."""

    name: Annotated[
        Positional[str | None], arg(metavar="[NAME]", help="Get these, unless they are here.")
    ] = None
    base: Annotated[
        str | None,
        arg(
            name="from",
            help="Folder to download from instead of where they are published.",
            metavar="URL",
        ),
    ] = None
    json: Json = False


@dataclass(frozen=True)
class Report:
    """Draws a run's curves, film and grids, and its report.html."""

    run: Annotated[Positional[Path], arg(metavar="RUN", help="The run's directory.")]
    film: Annotated[
        Literal["webp", "gif", "mp4"], arg(help="The film's format; mp4 needs impasto[video].")
    ] = "webp"
    json: Json = False


@dataclass(frozen=True)
class Demo:
    """Trains a generator of kittens in minutes, and says where its report is."""

    to: Annotated[
        Path | None, arg(help="The run's directory; below runs/ by default.", metavar="RUN")
    ] = None
    minutes: Annotated[float, arg(help="How long to train.", metavar="N")] = 6.0


COMMANDS: dict[str, type[object]] = {
    "recipes": Recipes,
    "inspect": Inspect,
    "prepare": Prepare,
    "review": Review,
    "train": Train,
    "resume": Resume,
    "sample": Sample,
    "evaluate": Evaluate,
    "doctor": Doctor,
    "compare": Compare,
    **uses.COMMANDS,
    **styles.COMMANDS,
    "report": Report,
    "weights": Weights,
    "demo": Demo,
}
