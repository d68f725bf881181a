"""What a metric gives: a value, and how far it may be off."""

import math
from typing import NamedTuple

ROUNDING = 1e-12  # share of a value below which an error is none


class Estimate(NamedTuple):
    """A value and its standard error."""

    value: float
    error: float

    def __str__(self) -> str:
        """Both, to two digits of the error: 0.251 ± 0.012."""
        if self.error <= ROUNDING * abs(self.value):
            return f"{self.value:.4g} ± 0"
        if not math.isfinite(self.error):
            return f"{self.value:.4g} ± {self.error}"
        places = max(0, 1 - math.floor(math.log10(self.error)))
        return f"{self.value:,.{places}f} ± {self.error:,.{places}f}"
