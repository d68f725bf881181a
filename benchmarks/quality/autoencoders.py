"""How good the autoencoders are: each recipe on three seeds, with its time.

    python benchmarks/quality/autoencoders.py [--only PART] [--to DIR] [--share 1]

Every run has so many images, whatever else the machine does, and tells the seconds that it took; what is in DIR
already is not done again. Told are squared error and structural similarity of held-out pictures that come back, the
unit-length kernel distance of samples to held-out pictures, and how often a conditional model draws what it is
asked for, by a classifier that learnt from real pictures. `calibration` trains the calibrated VAE and the usual
uncalibrated one (sum of squared errors plus divergence, at weights people use) on the same images, whose steps cost
the same. `anomalies` learns one digit, or cats, and looks at the others.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.append(str(Path(__file__).parents[1] / "speed"))

from measure import SHARED, report

import impasto
from impasto.data.prepared import Prepared
from impasto.families import FAMILIES, Batch
from impasto.families.vae import VAE
from impasto.images import to_float
from impasto.losses.latent import kl_to_standard
from impasto.losses.reconstruction import squared_error
from impasto.losses.structure import dissimilarity
from impasto.runs.directory import Run
from impasto.types import Progress
from impasto.workflows.evaluating import evaluate
from impasto.workflows.oddities import anomalies, learn_normals
from impasto.workflows.reading import codes_of, opened

SEEDS = 3
JUDGED = 500  # held-out pictures, and drawn ones
IMAGES = {"digits": 60_000, "faces": 8_000, "kittens": 10_000}  # that a run is trained on
NORMAL = {
    "digits": 15_000,
    "cats": 10_000,
    "people": 10_000,
}  # the same, of one that learns what is normal
WEIGHTS = (1.0, 0.1, 0.01)  # of the divergence beside a sum of squared errors, uncalibrated
SOURCES: dict[str, str | Path] = {
    "digits": SHARED / "data/mnist",
    "other digits": SHARED / "data/mnist/t10k-images-idx3-ubyte.gz",
    "faces": SHARED / "data/face-expressions-64.zip",
    "kittens": "kittens:2500",
    "cats": SHARED / "data/cat-faces-64.zip",
    "people": SHARED / "data/faces-64.zip",
}
RECIPES = {
    "digits": ("digits-vae", "digits-cvae"),
    "faces": ("lfw64-ae", "lfw64-vae", "lfw64-cvae"),
    "kittens": ("kittens-cvae",),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--only", choices=("digits", "faces", "kittens", "anomalies", "calibration")
    )
    parser.add_argument("--to", type=Path, default=Path("runs/autoencoders"))
    parser.add_argument("--share", type=float, default=1.0, help="of the images")
    asked = parser.parse_args()
    asked.to.mkdir(parents=True, exist_ok=True)
    parts: dict[str, Callable[[Path, float], dict[str, Any]]] = {
        **{name: _family(name) for name in RECIPES},
        "calibration": calibration,
        "anomalies": odd,
    }
    for name, part in parts.items():
        if asked.only in {None, name}:
            report(f"autoencoders-{name}-cpu", part(asked.to, asked.share), keep=asked.share == 1)


def _family(subject: str) -> Callable[[Path, float], dict[str, Any]]:
    def part(to: Path, share: float) -> dict[str, Any]:
        return {
            recipe: _summary([_one(recipe, subject, to, seed, share) for seed in range(SEEDS)])
            for recipe in RECIPES[subject]
        }

    return part


def _one(recipe: str, subject: str, to: Path, seed: int, share: float) -> dict[str, float]:
    run = to / f"{recipe}-{share:g}-{seed}"
    kept = run / "quality.json"
    if kept.exists():
        return dict(json.loads(kept.read_text()))
    images = round(IMAGES[subject] * share)
    seconds = _trained(run, SOURCES[subject], recipe, seed, images)
    told = reconstructed(run) | {"seconds": seconds, "images": float(images)}
    scores = evaluate(run, Run.open(run).facts["prepared"], pictures=JUDGED, among=JUDGED)
    told["kernel_distance_unit"] = scores.scores["kernel_distance_unit"].value
    for each in scores.recognitions:
        told[f"{each.name} as asked"] = each.accuracy.value
        told[f"{each.name} by the classifier on real ones"] = each.on_real.value
    kept.write_text(json.dumps(told))
    return told


def _trained(run: Path, source: Any, recipe: Any, seed: int, images: int) -> float:
    done = run / "seconds.json"
    if not done.exists():
        started = time.monotonic()
        impasto.train(source, recipe=recipe, to=run, images=images, seed=seed).finish()
        done.write_text(json.dumps(time.monotonic() - started))
    return float(json.loads(done.read_text()))


def reconstructed(run: Path) -> dict[str, float]:
    """How held-out pictures come back."""
    model, (prepared, held_out) = opened(run).coder, _held_out(run)
    images = prepared.images(held_out)
    known = torch.from_numpy(prepared.known(held_out, model.attributes))
    back = model.decode(model.encode(images, known), known)
    one, other = (to_float(torch.from_numpy(each)) for each in (images, back))
    used = float((codes_of(model, prepared)[held_out].var(0) > 0.01).mean())
    return {
        "squared error": float((one - other).square().mean()),
        "structural similarity": 1 - float(dissimilarity(one, other).mean()),
        "latents in use": used,
    }


def _held_out(run: Path) -> tuple[Prepared, np.ndarray]:
    held = Run.open(run)
    prepared = Prepared.open(held.facts["prepared"]).viewed(held.config.data)
    _, held_out = prepared.split(held.config.data.split_seed, held.config.data.validation)
    return prepared, held_out[:JUDGED]


def calibration(to: Path, share: float) -> dict[str, Any]:
    """The calibrated decoder beside the usual weights, on the same images."""
    found = {"calibrated": [_one("digits-vae", "digits", to, s, share) for s in range(SEEDS)]}
    for weight in WEIGHTS:
        FAMILIES["vae"] = _weighed(weight)
        try:
            found[f"weight {weight:g}"] = [
                _one("digits-vae", "digits", to / f"weight-{weight:g}", seed, share)
                for seed in range(SEEDS)
            ]
        finally:
            FAMILIES["vae"] = VAE
    return {name: _summary(rows) for name, rows in found.items()}


def _weighed(weight: float) -> type[VAE]:
    class Uncalibrated(VAE):
        """A sum of squared errors plus a weight times the divergence."""

        def objective(self, batch: Batch, progress: Progress) -> Any:
            mean, log_variance = self.network.encode(batch.images, batch.known)
            noise = self.streams.normal("latents", progress.images_seen, tuple(mean.shape))
            decoded = self.network.decoder(mean + torch.exp(log_variance / 2) * noise, batch.known)
            error = squared_error(decoded, batch.images).mean()
            divergence = kl_to_standard(mean, log_variance).sum(1).mean()
            values = batch.images[0].numel()
            loss = error + weight * divergence / values
            told = {"reconstruction_loss": error.detach(), "divergence": divergence.detach()}
            return loss, mean, told

    return Uncalibrated


def odd(to: Path, share: float) -> dict[str, Any]:
    """One digit against the others, cats against people, people against people with squares over them."""
    digits = {}
    for digit in range(10):
        run = to / f"normal-{digit}-{share:g}"
        _learnt(run, "digits", share, classes=(str(digit),))
        found = anomalies(run, SOURCES["other digits"], normal_classes=[str(digit)], limit=2_000)
        assert found.ranking is not None
        digits[str(digit)] = found.ranking.auroc
        print(f"digit {digit}: AUROC {found.ranking.auroc:.3f}", file=sys.stderr, flush=True)
    cats, people = (to / f"normal-{name}-{share:g}" for name in ("cats", "people"))
    _learnt(cats, "cats", share)
    _learnt(people, "people", share)
    return {
        "images": NORMAL,
        "digits": digits,
        "mean over digits": float(np.mean(list(digits.values()))),
        "cats against people": anomalies(cats, SOURCES["people"], limit=500).told_apart,
        "people against people with squares": _covered(people, to),
    }


def _learnt(run: Path, subject: str, share: float, classes: tuple[str, ...] = ()) -> None:
    if not (run / "seconds.json").exists():
        images = round(NORMAL[subject] * share)
        learn_normals(SOURCES[subject], to=run, images=images, classes=classes).finish()
        (run / "seconds.json").write_text("0")


def _covered(run: Path, to: Path) -> float:
    from PIL import Image

    folder = to / "covered"
    folder.mkdir(exist_ok=True)
    prepared, held_out = _held_out(run)
    drawn = np.random.default_rng(0)
    for place in held_out[:300].tolist():
        image, side = prepared[place].copy(), prepared.config.size // 4
        row, column = drawn.integers(0, prepared.config.size - side, 2)
        image[row : row + side, column : column + side] = drawn.integers(0, 256, 3)
        Image.fromarray(image).save(folder / f"{place}.png")
    return anomalies(run, folder).told_apart


def _summary(rows: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    return {
        name: {
            "mean": float(np.mean([row[name] for row in rows])),
            "least": min(row[name] for row in rows),
            "most": max(row[name] for row in rows),
        }
        for name in rows[0]
    }


if __name__ == "__main__":
    main()
