"""How everything here is measured: candidates take turns, medians are compared, the machine is named."""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parents[1] / "results"
SHARED = Path(os.environ.get("IMPASTO_SHARED", "../shared"))


def take_turns(candidates: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """The median of what each candidate returns, such as seconds.

    The speed of a machine changes from minute to minute, so all candidates run in each round, and the
    order is reversed from one round to the next.
    """
    seen: dict[str, list[float]] = {name: [] for name in candidates}
    for turn in range(rounds):
        names = list(candidates)[:: 1 if turn % 2 == 0 else -1]
        for name in names:
            seen[name].append(candidates[name]())
            print(f"  {turn + 1}/{rounds} {name}: {seen[name][-1]:.4g}", flush=True)
    return {name: statistics.median(values) for name, values in seen.items()}


def machine() -> dict[str, Any]:
    """What the figures depend on besides the code."""
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    ).stdout.strip()
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": commit,
        "python": platform.python_version(),
        "torch": version("torch"),
        "pillow": version("pillow"),
        "processor": processor(),
        "cores": os.cpu_count(),
        "system": platform.system(),
    }


def processor() -> str:
    """The processor's name as it gives it, or its kind."""
    facts = Path("/proc/cpuinfo")
    if facts.is_file():
        for line in facts.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def write(name: str, figures: Mapping[str, Any]) -> None:
    """Prints the figures and keeps them in benchmarks/results."""
    text = json.dumps({"machine": machine(), **figures}, indent=2)
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def quick() -> bool:
    """Whether --quick asks for fewer rounds; nothing is then kept."""
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds: does it run at all?")
    return bool(parser.parse_args().quick)


def report(name: str, figures: Mapping[str, Any], *, keep: bool) -> None:
    """Keeps the figures of a full measurement; of a quick one they are only printed."""
    if keep:
        write(name, figures)
    else:
        print(json.dumps(figures, indent=2))
