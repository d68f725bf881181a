"""Under drawn weights, Inception v3 says of drawn pictures what torch-fidelity's says of them.

Both make the published weights into the network that scores are defined by; what differed between them
would make scores differ. `scripts/inception_by_torch_fidelity.py` wrote the numbers down. Reading 127.5 for
128, pooling over padding, the mean for the maximum in the last block, or any better resizing would each be
off by thirty times what is allowed here, or more.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from drawn import inception_state, pictures

from impasto.evaluation.extractors import InceptionFeatures, inception

FOUND = json.loads(Path(__file__).with_name("inception.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def extractor(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "drawn.pth"
    torch.save(inception_state(), path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inception, "require", lambda name: path)
        return InceptionFeatures()


@pytest.mark.parametrize("side", [32, 64, 299, 400])
def test_it_agrees_with_torch_fidelity(extractor, side):
    expected = {kind: np.array(rows) for kind, rows in FOUND[str(side)].items()}
    features = extractor(pictures(side))
    found = {"features": features, "logits": extractor.logits(features)}
    assert set(found) == set(expected)
    for kind, numbers in found.items():
        apart = np.abs(expected[kind][0] - expected[kind][1]).mean()
        assert apart > 0.01, "the pictures must differ for the network"
        shown = numbers[:, :: FOUND["every"][kind]]
        np.testing.assert_allclose(shown, expected[kind], rtol=1e-4, atol=2e-5)
