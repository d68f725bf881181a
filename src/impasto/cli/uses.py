"""What can be typed to use a model beyond drawing from it: its latents, and what they are good for."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from impasto.cli.arguments import Classes, Json, Limit, Only, Source

Model = Annotated[
    Positional[Path], arg(metavar="RUN|MODEL", help="A run's directory or its model.safetensors.")
]
Named = Annotated[
    Path | None,
    arg(metavar="RUN|MODEL", help="An autoencoder: a run's directory or its model.safetensors."),
]
Seen = Annotated[
    str | None,
    arg(
        metavar="mobilenet-v2|inception-v3|FILE.onnx|random",
        help="What sees the pictures instead of a model of your own.",
    ),
]
Condition = Annotated[
    tuple[str, ...],
    arg(help="What the pictures show, of a conditional model.", metavar="VALUE|ATTRIBUTE=VALUE"),
]


@dataclass(frozen=True)
class Encode:
    """Writes the codes of pictures: the same picture always has the same code."""

    model: Model
    source: Source
    to: Annotated[Path, arg(help="The file of codes.", metavar="NPY|CSV")]
    classes: Classes = ()
    only: Only = ()
    limit: Limit = None
    json: Json = False


@dataclass(frozen=True)
class Decode:
    """Draws the pictures that codes stand for."""

    model: Model
    codes: Annotated[Positional[Path], arg(help="As encode writes them.", metavar="NPY|CSV")]
    to: Annotated[
        Path, arg(help="A picture's name for one grid, else a directory.", metavar="PNG|DIR")
    ]
    condition: Condition = ()
    json: Json = False


@dataclass(frozen=True)
class Interpolate:
    """Draws the way from one picture to the next, as a strip or as a film; of any model."""

    model: Model
    to: Annotated[
        Path, arg(help="A .png for a strip; .webp, .gif or .mp4 for a film.", metavar="FILE")
    ]
    between: Annotated[
        tuple[str, ...], arg(help="Pictures, two or more.", metavar="PICTURE PICTURE ...")
    ] = ()
    seeds: Annotated[
        tuple[int, ...], arg(help="Or seeds, two or more.", metavar="SEED SEED ...")
    ] = ()
    way: Annotated[
        Literal["linear", "spherical"] | None,
        arg(help="Lines for autoencoders and great circles for GANs by default."),
    ] = None
    steps: Annotated[
        int | None, arg(help="Pictures in a leg; 9 in a strip, 24 in a film.", metavar="N")
    ] = None
    condition: Condition = ()
    json: Json = False


@dataclass(frozen=True)
class Edit:
    """Changes what pictures show: directions among latents, learnt from pictures with attributes."""

    model: Model
    to: Annotated[Path, arg(help="Before and after, two rows.", metavar="PNG")]
    change: Annotated[
        tuple[str, ...],
        arg(
            help="What to change, how far: eyes5, happiness:0.5, age:-1.",
            metavar="VALUE[:STRENGTH]",
        ),
    ]
    labelled: Annotated[str, arg(help="Pictures with attributes to learn from.", metavar="SOURCE")]
    pictures: Annotated[tuple[str, ...], arg(help="What is changed.", metavar="PICTURE ...")] = ()
    seeds: Annotated[tuple[int, ...], arg(help="Or pictures drawn.", metavar="SEED ...")] = ()
    condition: Condition = ()
    extractor: Annotated[
        str, arg(help="What recognises attributes in a GAN's pictures.", metavar="EXTRACTOR")
    ] = "mobilenet-v2"
    json: Json = False


@dataclass(frozen=True)
class Invert:
    """Finds the latents from which a model, such as a GAN, draws something like a picture."""

    model: Model
    picture: Annotated[Positional[Path], arg(metavar="PICTURE", help="What is looked for.")]
    to: Annotated[
        Path,
        arg(help="A .npy file for the latents, or a .png of both side by side.", metavar="FILE"),
    ]
    steps: Annotated[int, arg(help="Of the optimisation.", metavar="N")] = 300
    seed: Annotated[int, arg(help="Of the draws that it starts from.", metavar="N")] = 0
    condition: Condition = ()
    json: Json = False


@dataclass(frozen=True)
class Index:
    """Makes an index to search pictures by likeness, or brings one up to date."""

    source: Source
    to: Annotated[Path, arg(help="The index's file.", metavar="INDEX")]
    model: Named = None
    extractor: Seen = None
    classes: Classes = ()
    only: Only = ()
    limit: Limit = None
    json: Json = False


@dataclass(frozen=True)
class Search:
    """Finds the pictures of an index that are most like one."""

    index: Annotated[Positional[Path], arg(metavar="INDEX", help="As index made it.")]
    picture: Annotated[Positional[Path], arg(metavar="PICTURE", help="What is looked for.")]
    k: Annotated[int, arg(aliases=["-k"], help="How many.", metavar="N")] = 12
    to: Annotated[
        Path | None, arg(help="Draw what was found, after what was looked for.", metavar="PNG")
    ] = None
    model: Annotated[
        Path | None,
        arg(metavar="RUN|MODEL", help="What the index was made by, if it lies elsewhere now."),
    ] = None
    extractor: Annotated[
        str | None, arg(metavar="FILE.onnx", help="The same, of an extractor.")
    ] = None
    json: Json = False


@dataclass(frozen=True)
class Map:
    """Puts pictures on a map by what they show, in clusters: one page to zoom into and choose from."""

    source: Source
    to: Annotated[Path, arg(help="The page.", metavar="HTML")]
    model: Named = None
    extractor: Seen = None
    method: Annotated[
        Literal["hdbscan", "kmeans"],
        arg(help="hdbscan finds how many clusters there are; kmeans puts every picture into one."),
    ] = "hdbscan"
    clusters: Annotated[
        int | None, arg(help="How many, for kmeans; as part best by default.", metavar="N")
    ] = None
    least: Annotated[int | None, arg(help="Pictures in a cluster, for hdbscan.", metavar="N")] = (
        None
    )
    projection: Annotated[
        Literal["auto", "umap", "pca"], arg(help="UMAP where impasto[map] is installed, else PCA.")
    ] = "auto"
    sheets: Annotated[
        Path | None, arg(help="Write a picture of each cluster here too.", metavar="DIR")
    ] = None
    seed: Annotated[int, arg(help="Of projection and clusters.", metavar="N")] = 0
    classes: Classes = ()
    only: Only = ()
    limit: Limit = None
    json: Json = False


@dataclass(frozen=True)
class Anomalies:
    """Finds pictures unlike the normal ones, by a model that learnt normal ones or learns them now."""

    check: Annotated[str, arg(help="Pictures to look at.", metavar="SOURCE")]
    model: Named = None
    normal: Annotated[
        str | None,
        arg(
            help="Normal pictures: to learn from without --model, else to set its threshold by.",
            metavar="SOURCE",
        ),
    ] = None
    minutes: Annotated[
        float | None, arg(help="How long to learn, without --model; 10 by default.", metavar="N")
    ] = None
    to: Annotated[
        Path | None,
        arg(help="Where the model goes that is learnt; below runs/ by default.", metavar="RUN"),
    ] = None
    rate: Annotated[
        float | None,
        arg(help="Share of normal pictures to be called odd; 0.01 by default.", metavar="X"),
    ] = None
    normal_classes: Annotated[
        tuple[str, ...],
        arg(
            help="Which classes are normal: to learn from, all by default; among those to look at, good, normal, ok.",
            metavar="CLASS",
        ),
    ] = ()
    heat: Annotated[
        Path | None, arg(help="Draw where each odd picture is odd, here.", metavar="DIR")
    ] = None
    classes: Classes = ()
    only: Only = ()
    limit: Limit = None
    json: Json = False


@dataclass(frozen=True)
class Compress:
    """Writes a picture, or a folder of them, as codes; says what JPEG, WebP and AVIF do in as many bytes."""

    source: Annotated[Positional[Path], arg(metavar="PICTURE|FOLDER", help="What to compress.")]
    model: Annotated[
        Path,
        arg(metavar="RUN|MODEL", help="An autoencoder, which decompressing needs too."),
    ]
    to: Annotated[Path, arg(help="A .imp file, or a folder.", metavar="FILE|DIR")]
    step: Annotated[
        float,
        arg(help="Of quantisation; smaller is truer and takes more bytes.", metavar="X"),
    ] = 0.25
    alone: Annotated[bool, arg(help="Compare with nothing.")] = False
    json: Json = False


@dataclass(frozen=True)
class Decompress:
    """Writes the pictures that compressed files stand for."""

    source: Annotated[Positional[Path], arg(metavar="IMP|FOLDER", help="As compress wrote it.")]
    to: Annotated[Path, arg(help="A picture's name, or a folder.", metavar="PNG|DIR")]
    model: Named = None
    json: Json = False


COMMANDS: dict[str, type[object]] = {
    "encode": Encode,
    "decode": Decode,
    "interpolate": Interpolate,
    "edit": Edit,
    "invert": Invert,
    "index": Index,
    "search": Search,
    "map": Map,
    "anomalies": Anomalies,
    "compress": Compress,
    "decompress": Decompress,
}
