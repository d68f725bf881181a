"""How long the command and the package take to start, whole processes, beside Python itself and torch."""

import subprocess
import sys
import time
from collections.abc import Callable

from measure import quick, report, take_turns

PROCESSES = {
    "python -c pass": ["-c", "pass"],
    "impasto --help": ["-m", "impasto", "--help"],
    "impasto train --help": ["-m", "impasto", "train", "--help"],
    "import impasto": ["-c", "import impasto"],
    "import torch": ["-c", "import torch"],
    "impasto recipes": ["-m", "impasto", "recipes"],
}


def seconds(arguments: list[str]) -> Callable[[], float]:
    """Seconds from start to end of a Python process."""

    def run() -> float:
        started = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - started

    return run


def main() -> None:
    few = quick()
    medians = take_turns({n: seconds(a) for n, a in PROCESSES.items()}, 2 if few else 15)
    figures = {
        "seconds": {name: round(value, 3) for name, value in medians.items()},
        "bar": {"impasto --help": 0.3},
    }
    report("startup-cpu", figures, keep=not few)


if __name__ == "__main__":
    main()
