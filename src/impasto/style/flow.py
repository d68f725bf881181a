"""What moves where from one frame of a video to the next, and what comes into view.

Optical flow is OpenCV's (DIS). A pixel counts as the same thing as before if following it back and then forth
again leads to where one began; what does not has just come into view, or the flow is wrong.

Source: arXiv 1604.08610, section 4 (the checks), with arXiv 1603.03590 for the flow.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn.functional import grid_sample

from impasto.images import Picture, to_uint8
from impasto.style.canvas import Where

SHARE, SLACK = (
    0.01,
    0.5,
)  # of the lengths of both flows, and pixels squared, that a way there and back may miss by
EDGE_SHARE, EDGE_SLACK = (
    0.01,
    0.002,
)  # of the flow's length, for its gradient: where it jumps, things overlap
LEAST_SIDE = 16  # pixels that the flow needs


@dataclass(frozen=True)
class Motion:
    """How to bring the last frame's pixels to where they are now.

    Attributes:
        back: from each pixel of now, pixels to the right and down to where it was.
        known: 1 where something was there before, 0 where it has come into view.
    """

    back: Float[np.ndarray, "h w 2"]
    known: Where

    def moved(self, picture: Picture) -> Picture:
        """The last frame's picture, or its painting, with everything where it is now."""
        return self._fetched(picture, "bicubic").clamp(-1, 1)

    def places(self, where: Where) -> Where:
        """The same of a number at each of the last frame's pixels."""
        return self._fetched(where[None, None], "bilinear")[0, 0]

    def _fetched(self, maps: Float[Tensor, "1 c h w"], mode: str) -> Float[Tensor, "1 c h w"]:
        height, width = self.back.shape[:2]
        rows, columns = np.mgrid[:height, :width].astype(np.float32)
        x, y = columns + self.back[..., 0], rows + self.back[..., 1]
        places = np.stack([2 * x / max(width - 1, 1) - 1, 2 * y / max(height - 1, 1) - 1], -1)
        grid = torch.from_numpy(places.astype(np.float32))[None].to(maps)
        return grid_sample(maps, grid, mode=mode, padding_mode="border", align_corners=True)


def motion(before: Picture, now: Picture) -> Motion:
    """The motion between two frames of one size."""
    old, new = (_light(frame) for frame in (before, now))
    back, forth = _flow(new, old), _flow(old, new)
    rows, columns = np.mgrid[: old.shape[0], : old.shape[1]].astype(np.float32)
    there = cv2.remap(
        forth, columns + back[..., 0], rows + back[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )  # fmt: skip
    missed = np.square(there + back).sum(2)
    lengths = np.square(there).sum(2) + np.square(back).sum(2)
    jumps = sum(np.square(np.gradient(back[..., axis])).sum(0) for axis in (0, 1))
    same = missed <= SHARE * lengths + SLACK
    smooth = jumps <= EDGE_SHARE * np.square(back).sum(2) + EDGE_SLACK
    x, y = columns + back[..., 0], rows + back[..., 1]
    inside = (x >= 0) & (x <= old.shape[1] - 1) & (y >= 0) & (y <= old.shape[0] - 1)
    known = torch.from_numpy((same & smooth & inside).astype(np.float32))
    return Motion(back, known)


def flicker(before: Picture, now: Picture, between: Motion) -> float:
    """How much a painting changes where what it shows does not: a root mean square, in levels of [-1, 1]."""
    apart = (now - between.moved(before)).square().mean(1)[0] * between.known
    return float((apart.sum() / between.known.sum().clamp(min=1)).sqrt())


def _light(frame: Picture) -> UInt8[np.ndarray, "h w"]:
    return cv2.cvtColor(to_uint8(frame)[0].cpu().numpy(), cv2.COLOR_RGB2GRAY)


def _flow(
    start: UInt8[np.ndarray, "h w"], end: UInt8[np.ndarray, "h w"]
) -> Float[np.ndarray, "h w 2"]:
    if min(start.shape) < LEAST_SIDE:
        return np.zeros((*start.shape, 2), np.float32)
    finder = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return finder.calc(start, end, np.zeros((*start.shape, 2), np.float32))
