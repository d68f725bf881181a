"""A painting from coarse to fine: the default, and several times cheaper than the published loop.

What a manner does in the large is found where pictures are small and steps cost little; what it does in the
small is added where the picture has grown. Between two sizes the painting is enlarged and, with Adam, what the
optimiser knows of each pixel too.

Source: the idea is that of arXiv 1611.07865, section 6; enlarged moments as in style-transfer-pytorch (MIT).
"""

import math
from dataclasses import dataclass
from typing import Literal

Optimizer = Literal["lbfgs", "adam"]


@dataclass(frozen=True)
class Stage:
    """One size of the painting, and how many steps it is worked on."""

    height: int
    width: int
    steps: int


def stages(
    height: int, width: int, *, least: int, growth: float, first: int, last: int
) -> list[Stage]:
    """Sizes from `least` pixels on the longest side up to the painting's, and steps that fall geometrically.

    Args:
        height: of the painting in the end.
        width: of the painting in the end.
        least: the longest side to begin with.
        growth: of the sides from one size to the next, at most.
        first: steps at the smallest size.
        last: steps at the largest.
    """
    longest = max(height, width)
    count = max(0, math.ceil(math.log(longest / least, growth) - 1e-9)) if longest > least else 0
    found = []
    for each in range(count + 1):
        share = each / count if count else 1.0
        side = longest * (least / longest) ** (1 - share) if count else longest
        steps = round(first * (last / first) ** share)
        found.append(
            Stage(
                max(1, round(height * side / longest)), max(1, round(width * side / longest)), steps
            )
        )
    return found
