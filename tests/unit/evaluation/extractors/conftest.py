"""The extractors under test, with published weights where they are at hand and drawn ones where not."""

import pytest
import torch
from drawn import inception_state

from impasto.evaluation.extractors import EXTRACTORS, InceptionFeatures, inception


@pytest.fixture
def weights(shared, monkeypatch):
    """Published weights of MobileNetV2."""
    monkeypatch.setenv("IMPASTO_WEIGHTS", str(shared / "weights"))


@pytest.fixture(scope="session")
def inception_file(tmp_path_factory):
    """Weights of Inception v3: drawn, because the published ones are not at hand."""
    path = tmp_path_factory.mktemp("weights") / "inception.pth"
    torch.save(inception_state(), path)
    return path


@pytest.fixture(scope="session")
def inception_v3(inception_file):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inception, "require", lambda name: inception_file)
        return InceptionFeatures()


@pytest.fixture(params=EXTRACTORS)
def extractor(request):
    if request.param == "inception-v3":
        return request.getfixturevalue("inception_v3")
    if request.param == "mobilenet-v2":
        request.getfixturevalue("weights")
        return EXTRACTORS[request.param](side=64)
    return EXTRACTORS[request.param]()
