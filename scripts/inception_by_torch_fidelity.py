"""Writes down what torch-fidelity's Inception v3 says of drawn pictures under drawn weights.

torch-fidelity wants torchvision, whose wheel does not import beside a CPU build of torch, and makes
torchmetrics fail where it is installed without. So it is kept away from everything else:

    pip install --no-deps --target /tmp/fidelity torch-fidelity==0.4.0
    PYTHONPATH=tests/support .venv/bin/python scripts/inception_by_torch_fidelity.py /tmp/fidelity
"""

import importlib
import json
import sys
import tempfile
import types
from pathlib import Path

import torch
from drawn import inception_state, pictures

TO = Path(__file__).parent.parent / "tests" / "equivalence" / "inception.json"
SIDES = (32, 64, 299, 400)
KINDS = {"features": "2048", "logits": "logits_unbiased"}
EVERY = {"features": 32, "logits": 21}


def main() -> None:
    """Writes the numbers."""
    folder = Path(sys.argv[1])
    # The package without its __init__, which imports torchvision; the network itself does not need it.
    package = types.ModuleType("torch_fidelity")
    package.__path__ = [str(folder / "torch_fidelity")]
    sys.modules["torch_fidelity"] = package
    module = importlib.import_module("torch_fidelity.feature_extractor_inceptionv3")
    with tempfile.NamedTemporaryFile(suffix=".pth") as file:
        torch.save(inception_state(), file.name)
        network = module.FeatureExtractorInceptionV3("drawn", list(KINDS.values()), file.name)
    network.eval()
    found: dict[str, object] = {
        "by": f"torch-fidelity {next(folder.glob('torch_fidelity-*')).name.split('-')[1][:5]}",
        "every": EVERY,
    }
    for side in SIDES:
        given = torch.from_numpy(pictures(side)).permute(0, 3, 1, 2)
        answers = network(given)
        found[str(side)] = {
            kind: [
                [float(f"{value:.7g}") for value in row[:: EVERY[kind]]] for row in answer.tolist()
            ]
            for kind, answer in zip(KINDS, answers, strict=True)
        }
    TO.write_text(json.dumps(found) + "\n", "utf-8")


if __name__ == "__main__":
    main()
