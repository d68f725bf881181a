"""What a set of pictures is asked to be: selection, size, crop, and the split."""

from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from impasto.config import configuration
from impasto.data.rules import Rules

Crop = Literal["center", "squash", "pad", "random"]


@configuration
class Subject:
    """What is looked for in each picture, and how it is cut out. None stands for the detector's own."""

    # whole: nothing is looked for. cat-face, human-face: OpenCV's cascades. FILE.xml: a cascade of
    # one's own. FILE.onnx: a network that answers with boxes and scores.
    name: str = "whole"
    # default: chosen by measurement. published: system A's scale factor 1.1, 3 neighbours, any size.
    preset: Literal["default", "published"] = "default"
    grow: Annotated[float, Field(ge=0.1, le=10)] = 2.0  # side of the cut over side of the box
    border: Literal["clip", "pad"] = "clip"  # where the cut reaches over the picture's edge
    boxes: Literal["best", "every"] = "best"
    smallest: Annotated[float, Field(ge=0, le=1)] | None = None  # box over the picture's short side
    scale_factor: Annotated[float, Field(gt=1, le=2)] | None = None  # between sizes looked for
    neighbors: NonNegativeInt | None = None  # more than so many windows must agree
    score: float | None = None  # least certainty, in the detector's own measure


@configuration
class DataConfig:
    """How pictures are chosen, brought to one size, varied and split."""

    size: Annotated[int, Field(ge=4, le=4096)] = 64  # side in pixels after preparation
    channels: Literal[1, 3] = 3
    # center: the largest centred square. squash: the whole picture, aspect lost. pad: the whole
    # picture on the background. random: a random resized crop at training time, area 0.9-1.0 of the
    # picture and aspect ratio 0.9-1.1.
    crop: Crop = "center"
    crop_pixels: PositiveInt | None = (
        None  # at most so many source pixels on a side, about the centre
    )
    background: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")] = (
        "#ffffff"  # under transparency
    )
    flip: bool = True  # mirror half of the pictures, at random, at training time
    classes: tuple[str, ...] = ()  # keep these classes only
    only: tuple[str, ...] = ()  # keep names that match one of these patterns, such as train/frog/*
    limit: PositiveInt | None = (
        None  # keep at most so many, drawn evenly from all by the split's seed
    )
    validation: Annotated[float, Field(ge=0, lt=1)] = 0.1  # share held out of training
    split_seed: NonNegativeInt = 0
    subject: Subject = Subject()
    rules: Rules = Rules()  # what is thrown out; nothing by default
    # A table of labels (CSV, JSONL or Parquet); None: one that lies beside the pictures; ignore: none.
    labels: str | None = None
    frame_step: PositiveInt = 30  # of a video, every so many frames give a picture
