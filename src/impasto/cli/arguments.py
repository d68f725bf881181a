"""Arguments that several commands take."""

from typing import Annotated, Literal

from tyro.conf import Positional, arg

Source = Annotated[
    Positional[str],
    arg(
        metavar="SOURCE",
        help="A folder, zip, tar, video, table or database of pictures, kittens[:N], or a prepared set.",
    ),
]
Classes = Annotated[tuple[str, ...], arg(help="Keep these classes only.")]
Only = Annotated[
    tuple[str, ...],
    arg(help="Keep names that match one of these patterns, such as 'train/frog/*'."),
]
Limit = Annotated[
    int | None, arg(help="Keep at most so many pictures, drawn evenly from all.", metavar="N")
]
Labels = Annotated[
    str | None,
    arg(
        help="A table of labels; by default one beside the pictures, if there is one.",
        metavar="CSV|JSONL|PARQUET|ignore",
    ),
]
FrameStep = Annotated[
    int, arg(help="Of a video, every so many frames give a picture.", metavar="N")
]
Json = Annotated[bool, arg(help="Print JSON for programs.")]
Minutes = Annotated[float | None, arg(help="Train for so long.", metavar="N")]
Images = Annotated[int | None, arg(help="Train on so many images.", metavar="N")]
Epochs = Annotated[
    float | None, arg(help="Train for so many passes over the pictures.", metavar="N")
]
Steps = Annotated[int | None, arg(help="Train for so many steps.", metavar="N")]
Device = Annotated[
    Literal["auto", "cpu", "cuda", "mps"] | None,
    arg(help="Where to compute; the best there is by default."),
]
Devices = Annotated[
    int | None,
    arg(help="Processes on this machine, one a device; started by this command.", metavar="N"),
]
Memory = Annotated[
    str | None,
    arg(
        help="Of a painting: take no more than this; most of what is free by default.",
        metavar="4GB",
    ),
]

EvaluateEvery = Annotated[
    str | None,
    arg(help="Score the model every so many images, and keep the best.", metavar="N|50k|1M|off"),
]
Patience = Annotated[
    int | None,
    arg(help="End when so many scores in a row were not the best; 0 for never.", metavar="N"),
]
Extractor = Annotated[
    str,
    arg(help="What sees the pictures.", metavar="mobilenet-v2|inception-v3|FILE.onnx|random"),
]
Pictures = Annotated[int, arg(aliases=["-n"], help="On each side, at most.", metavar="N")]
Among = Annotated[int, arg(help="Training pictures to look for copies in, at most.", metavar="N")]
Soften = Annotated[
    int | None,
    arg(help="Bring both sides to so many pixels first: no checkerboards, no noise.", metavar="N"),
]
