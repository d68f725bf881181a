import hashlib

import numpy as np
import pytest
import torch
from drawn import inception_state, noise

from impasto.errors import ConfigError, DamagedFile, WeightsError
from impasto.evaluation.extractors import InceptionFeatures, inception
from impasto.nn.inception import InceptionV3
from impasto.nn.pretrained import PRETRAINED

FILE = "pt_inception-2015-12-05-6726825d.pth"
SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"


def test_pictures_are_centred_on_128_and_a_network_of_its_own_agrees(inception_v3):
    network = InceptionV3().eval().requires_grad_(requires_grad=False)
    network.load_state_dict(inception_state())
    images = noise(2, side=299)
    given = torch.from_numpy((images.astype(np.float32) - 128) / 128).permute(0, 3, 1, 2)
    assert torch.equal(inception_v3._prepared(torch.from_numpy(images)), given)
    features = inception_v3(images)
    expected = network.features(given).numpy()
    assert np.allclose(features, expected, rtol=1e-4, atol=1e-5)
    with_bias = inception_v3.logits(features) + network.fc.bias.numpy()
    assert np.allclose(with_bias, network(given).numpy(), rtol=1e-4, atol=1e-4)
    assert features.min() >= 0


def test_what_is_done_to_pictures_is_told(inception_v3):
    assert "299x299" in inception_v3.resize
    assert "TensorFlow 1" in inception_v3.resize
    assert inception_v3.digest == SHA256


def test_nothing_else_than_299_is_seen(inception_file, monkeypatch):
    with pytest.raises(
        ConfigError, match=r"^side: 128: inception-v3 sees 299 pixels.*leave it out"
    ):
        InceptionFeatures(side=128)


def test_missing_weights_are_told_with_the_way_out(tmp_path, monkeypatch):
    monkeypatch.setenv("IMPASTO_CACHE", str(tmp_path))
    monkeypatch.setenv("IMPASTO_WEIGHTS", "")
    with pytest.raises(WeightsError) as caught:
        InceptionFeatures()
    url = f"https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/{FILE}"
    for part in (FILE, "inception-v3", "96 MB", SHA256, url, str(tmp_path / "weights")):
        assert part in str(caught.value)


@pytest.mark.parametrize("file", [FILE, "weights-inception-2015-12-05-6726825d.pth"])
def test_other_weights_of_either_name_are_refused(tmp_path, monkeypatch, inception_file, file):
    (tmp_path / file).symlink_to(inception_file)
    monkeypatch.setenv("IMPASTO_WEIGHTS", str(tmp_path))
    with pytest.raises(DamagedFile, match=f"{file} has sha256"):
        InceptionFeatures()


@pytest.mark.parametrize("kind", ["old", "uncounted"])
def test_states_of_older_files_load(tmp_path, monkeypatch, inception_v3, kind):
    """The published file is from 2020: not a zip, and perhaps without the counters of batch norms."""
    state = inception_state()
    if kind == "uncounted":
        state = {name: value for name, value in state.items() if "num_batches" not in name}
    torch.save(state, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    monkeypatch.setattr(inception, "require", lambda name: tmp_path / "old.pth")
    assert np.array_equal(InceptionFeatures()(noise(1)), inception_v3(noise(1)))


def test_a_file_of_the_published_size_could_hold_this_network():
    """Its 95.6 MB leave less than 0.1 MB for names beside our numbers: none is missing, none too many."""
    state = inception_state()
    numbers = sum(value.numel() * value.element_size() for value in state.values())
    assert 0 < PRETRAINED["inception-v3"].size - numbers < 100_000


def test_the_file_is_the_one_named_after_its_digest():
    weights = PRETRAINED["inception-v3"]
    assert weights.sha256 == SHA256
    assert weights.sha256[:8] in weights.file
    assert all(weights.sha256[:8] in alias for alias in weights.aliases)
    assert len(weights.sha256) == hashlib.sha256().digest_size * 2
