"""What can be typed to paint one picture in the manner of another."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, UseAppendAction, arg

from impasto.cli.arguments import Device, Images, Json, Limit, Memory, Minutes, Steps

Weighed = Annotated[
    Positional[tuple[str, ...]],
    arg(metavar="PAINTING[:WEIGHT] ...", help="Whose manner it is painted in; several are mixed."),
]


Settings = Annotated[
    UseAppendAction[tuple[tuple[str, ...], ...]],
    arg(help="Change settings of the recipe.", metavar="FIELD=VALUE"),
]


@dataclass(frozen=True)
class Stylize:
    """Paints a picture in the manner of others."""

    content: Annotated[
        Positional[Path],
        arg(metavar="PICTURE|FOLDER|VIDEO", help="What is painted."),
    ]
    to: Annotated[Path, arg(help="The painting; a folder for many.", metavar="FILE|DIR")]
    styles: Weighed = ()
    fast: Annotated[
        Path | None,
        arg(help="Paint at once, by a network that train-style taught.", metavar="DIR"),
    ] = None
    style: Annotated[
        tuple[str, ...],
        arg(help="Which of the styles it has learnt; several are mixed.", metavar="NAME[:WEIGHT]"),
    ] = ()
    recipe: Annotated[
        str,
        arg(
            help="How: pyramid, gatys (as published), or a YAML file.",
            metavar="pyramid|gatys|FILE",
        ),
    ] = "pyramid"
    size: Annotated[
        int | None, arg(help="Pixels on the longest side; the recipe's by default.", metavar="N")
    ] = None
    strength: Annotated[
        float | None,
        arg(help="Of the manner against what is shown, 0 to 1; 0.5 by default.", metavar="X"),
    ] = None
    detail: Annotated[
        float | None,
        arg(help="Of the manner's fine traits against its coarse ones, -2 to 2.", metavar="X"),
    ] = None
    scale: Annotated[
        float | None, arg(help="Of the brush strokes; 2 is twice as large.", metavar="X")
    ] = None
    keep_color: Annotated[
        Literal["no", "luminance", "moments", "palette"] | None,
        arg(help="Keep the picture's colours, place by place or as a whole."),
    ] = None
    mask: Annotated[
        tuple[Path, ...],
        arg(help="White where it is painted; one for all, or one a painting.", metavar="PICTURE"),
    ] = ()
    regions: Annotated[
        tuple[Path, ...],
        arg(
            help="The picture's parts in flat colours, then each painting's: like is painted like.",
            metavar="PICTURE",
        ),
    ] = ()
    start: Annotated[
        str | None,
        arg(
            help="Begin with the picture (by default), with noise, or with a file.",
            metavar="content|noise|FILE",
        ),
    ] = None
    compare: Annotated[
        str | None,
        arg(
            help="Paint over the values of a setting, onto one sheet: strength=0.2,0.5,0.8.",
            metavar="SETTING=VALUE,...",
        ),
    ] = None
    steps: Annotated[int | None, arg(help="In all; the recipe's by default.", metavar="N")] = None
    seed: Annotated[int | None, arg(help="Of what is drawn.", metavar="N")] = None
    network: Annotated[
        Literal["auto", "vgg-19", "vgg16-hed"] | None,
        arg(help="What sees; VGG-19 if it is on this machine by default."),
    ] = None
    set: Settings = ()
    memory: Memory = None
    device: Device = None
    run: Annotated[
        Path | None,
        arg(help="Keep events, pictures of the process and state here, to resume.", metavar="DIR"),
    ] = None
    film: Annotated[
        Path | None,
        arg(help="A film of the process too; needs --run.", metavar="WEBP|GIF|MP4"),
    ] = None
    unsteady: Annotated[bool, arg(help="Of a video, paint each frame by itself: it flickers.")] = (
        False
    )
    json: Json = False


@dataclass(frozen=True)
class TrainStyle:
    """Teaches a network styles, so that it paints a picture at once."""

    styles: Annotated[
        Positional[tuple[Path, ...]],
        arg(metavar="PAINTING ...", help="What it learns; with --arbitrary, folders too."),
    ]
    content: Annotated[str, arg(help="Pictures to learn on, of any kind.", metavar="SOURCE")]
    to: Annotated[Path, arg(help="The run's directory.", metavar="DIR")]
    arbitrary: Annotated[
        bool,
        arg(help="Learn to paint in any manner that it is shown, from these as examples."),
    ] = False
    minutes: Minutes = None
    images: Images = None
    steps: Steps = None
    size: Annotated[
        int | None, arg(help="Pixels of the contents; 128 by default.", metavar="N")
    ] = None
    strength: Annotated[
        float | None, arg(help="Of the manner against what is shown, 0 to 1.", metavar="X")
    ] = None
    detail: Annotated[
        float | None, arg(help="Of fine traits against coarse ones, -2 to 2.", metavar="X")
    ] = None
    scale: Annotated[float | None, arg(help="Of the brush strokes.", metavar="X")] = None
    limit: Limit = None
    seed: Annotated[int | None, arg(help="Of weights and order.", metavar="N")] = None
    set: Settings = ()
    device: Device = None
    onnx: Annotated[
        Path | None, arg(help="Write the network as ONNX too.", metavar="FILE.onnx")
    ] = None
    json: Json = False


COMMANDS: dict[str, type[object]] = {"stylize": Stylize, "train-style": TrainStyle}
