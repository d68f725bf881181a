import math

import pytest

from impasto.evaluation.estimate import Estimate


@pytest.mark.parametrize(
    ("value", "error", "told"),
    [
        (0.2513, 0.0123, "0.251 ± 0.012"),
        (1234.5, 56.7, "1,234 ± 57"),
        (-0.00043, 0.00049, "-0.00043 ± 0.00049"),
        (7.0, 0.96, "7.00 ± 0.96"),
        (12345.0, 2345.0, "12,345 ± 2,345"),
        (0.5, 0.0, "0.5 ± 0"),
        (2.2, 4.4e-17, "2.2 ± 0"),
        (0.0, 0.0, "0 ± 0"),
        (0.5, math.inf, "0.5 ± inf"),
        (0.5, math.nan, "0.5 ± nan"),
    ],
)
def test_values_are_told_to_two_digits_of_their_error(value, error, told):
    assert str(Estimate(value, error)) == told
