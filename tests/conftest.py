"""What all tests share: types checked at run time, and the data that stands beside the project."""

import os
from pathlib import Path

import pytest
import torch
from hypothesis import settings
from jaxtyping import install_import_hook

install_import_hook("impasto", "typechecker.check")
settings.register_profile(
    "untimed", deadline=None
)  # how fast a machine is, is no property of the code
settings.load_profile("untimed")
torch.set_num_threads(
    1
)  # the networks under test are tiny; more threads would only wait for one another


@pytest.fixture(autouse=True)
def _denormals_stay() -> None:
    """Training flushes denormal numbers for the whole process; hypothesis draws them."""
    torch.set_flush_denormal(False)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real pictures and weights that stands beside the project."""
    default = Path(__file__).parent.parent.parent / "shared"
    folder = Path(os.environ.get("IMPASTO_SHARED", default))
    if not (folder / "data").is_dir():
        reason = f"{folder} is not there; set IMPASTO_SHARED to the folder of shared data"
        if os.environ.get("IMPASTO_REQUIRE_SHARED") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder
