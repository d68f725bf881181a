"""What can be typed to paint one picture in the manner of another."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, UseAppendAction, arg

from impasto.cli.arguments import Device, Json

Weighed = Annotated[
    Positional[tuple[str, ...]],
    arg(metavar="PAINTING[:WEIGHT] ...", help="Whose manner it is painted in; several are mixed."),
]


@dataclass(frozen=True)
class Stylize:
    """Paints a picture in the manner of others."""

    content: Annotated[Positional[Path], arg(metavar="PICTURE", help="What is painted.")]
    to: Annotated[Path, arg(help="The painting.", metavar="PICTURE")]
    styles: Weighed = ()
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
    steps: Annotated[int | None, arg(help="In all; the recipe's by default.", metavar="N")] = None
    seed: Annotated[int | None, arg(help="Of what is drawn.", metavar="N")] = None
    network: Annotated[
        Literal["auto", "vgg-19", "vgg16-hed"] | None,
        arg(help="What sees; VGG-19 if it is on this machine by default."),
    ] = None
    set: Annotated[
        UseAppendAction[tuple[tuple[str, ...], ...]],
        arg(help="Change settings of the recipe.", metavar="FIELD=VALUE"),
    ] = ()
    memory: Annotated[
        str | None,
        arg(help="Take no more than this; most of what is free by default.", metavar="4GB"),
    ] = None
    device: Device = None
    run: Annotated[
        Path | None,
        arg(help="Keep events, pictures of the process and state here, to resume.", metavar="DIR"),
    ] = None
    film: Annotated[
        Path | None,
        arg(help="A film of the process too; needs --run.", metavar="WEBP|GIF|MP4"),
    ] = None
    json: Json = False


COMMANDS: dict[str, type[object]] = {"stylize": Stylize}
