"""Finding cat faces: `impasto prepare --subject cat-face` against the loop that everybody writes.

The plain loop is one process: read the picture with OpenCV, make it grey, run the extended cat-face cascade
with scale factor 1.1 and 3 neighbours, cut out the best box grown to twice its side, resize. OpenCV may use all
cores in it. Both start as whole processes on the same zip of photographs, in turns.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

from measure import SHARED, quick, report, take_turns

PLAIN = """
import sys, zipfile
import cv2
import numpy as np

cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalcatface_extended.xml")
found = 0
crops = []
with zipfile.ZipFile(sys.argv[1]) as archive:
    for name in archive.namelist()[: int(sys.argv[2])]:
        picture = cv2.imdecode(np.frombuffer(archive.read(name), np.uint8), cv2.IMREAD_COLOR)
        if picture is None:
            continue
        grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
        boxes = cascade.detectMultiScale(grey, 1.1, 3)
        if len(boxes) == 0:
            continue
        left, top, wide, high = max(boxes, key=lambda box: box[2] * box[3])
        part = picture[max(0, top - high // 2) : top + high * 3 // 2,
                       max(0, left - wide // 2) : left + wide * 3 // 2]
        crops.append(cv2.resize(part, (128, 128), interpolation=cv2.INTER_AREA))
print(len(crops))
"""


def main() -> None:
    few = quick()
    source, limit, rounds = SHARED / "data" / "cats-raw.zip", 150 if few else 1_500, 1 if few else 3
    hits: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as place:
        made = count()

        def ours() -> float:
            target = Path(place) / f"set-{next(made)}"
            command = [sys.executable, "-m", "impasto", "prepare", str(source), "--to", str(target)]
            options = ["--subject", "cat-face", "--limit", str(limit), "--rules", "off", "--json"]
            seconds, out = timed([*command, *options])
            hits["impasto"] = json.loads(out)["kept"]
            return seconds

        def theirs() -> float:
            seconds, out = timed([sys.executable, "-c", PLAIN, str(source), str(limit)])
            hits["plain loop"] = int(out)
            return seconds

        turns: dict[str, Callable[[], float]] = {"impasto": ours, "plain loop": theirs}
        seconds = take_turns(turns, rounds)
    figures = {
        "photographs": limit,
        "seconds": {name: round(value, 2) for name, value in seconds.items()},
        "faces": hits,
        "times_as_fast": round(seconds["plain loop"] / seconds["impasto"], 2),
        "bar": 2.0,
    }
    report("detect-cpu", figures, keep=not few)


def timed(command: list[str]) -> tuple[float, str]:
    """Seconds that a whole process takes, and what it prints."""
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return time.perf_counter() - started, done.stdout


if __name__ == "__main__":
    main()
