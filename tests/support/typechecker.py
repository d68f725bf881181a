"""The checker that holds annotations to their word while tests run."""

from beartype import BeartypeConf, beartype

check = beartype(
    conf=BeartypeConf(is_pep484_tower=True)
)  # an int is a float, as type checkers have it
