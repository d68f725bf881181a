"""Every benchmark of speed that this machine can do, one after the other; --quick is handed on."""

import subprocess
import sys
from pathlib import Path

import torch

HERE = Path(__file__).parent


def main() -> None:
    names = [
        "startup",
        "million",
        "prepare",
        "detect",
        "likeness",
        "amount",
        "train_step",
        "frechet",
        "watching",
    ]
    if torch.cuda.is_available():
        names.append("gpu")
    for name in names:
        print(f"== {name}", flush=True)
        subprocess.run([sys.executable, str(HERE / f"{name}.py"), *sys.argv[1:]], check=True)


if __name__ == "__main__":
    main()
