import pytest
import torch
from torch.nn import functional

from impasto.nn.blocks import fold_norms, outlined
from impasto.nn.mobilenet import STAGES, MobileNetV2
from impasto.seeds import seeded, stream

STRIDES = [1, 2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1]  # of the 17 blocks


@pytest.fixture(scope="module")
def published(shared):
    return torch.load(shared / "weights" / "mobilenet_v2-b0353104.pth", weights_only=True)


@pytest.fixture
def network():
    """A network whose norms do something, for inference."""
    with seeded(0, "network"):
        network = MobileNetV2()
    for name, value in network.state_dict().items():
        if name.endswith(("running_mean", "running_var")):
            value.uniform_(0.1, 1.0, generator=stream(1, name))
    return network.eval().requires_grad_(requires_grad=False)


def drawn(side, count=2):
    return torch.randn(count, 3, side, side, generator=stream(0, "pictures"))


def by_hand(state, pictures):
    """The same network from its published state, with functions only."""

    def convolved(maps, key, norm, *, stride=1, cut_off=True):
        weight = state[f"{key}.weight"]
        maps = functional.conv2d(
            maps,
            weight,
            stride=stride,
            padding=weight.shape[2] // 2,
            groups=maps.shape[1] // weight.shape[1],
        )
        parts = [state[f"{norm}.{part}"] for part in ("running_mean", "running_var")]
        mean, variance = (part[:, None, None] for part in parts)
        scale, shift = (state[f"{norm}.{part}"][:, None, None] for part in ("weight", "bias"))
        maps = (maps - mean) / (variance + 1e-5).sqrt() * scale + shift
        return maps.clamp(0, 6) if cut_off else maps

    maps = convolved(pictures, "features.0.0", "features.0.1", stride=2)
    for number, stride in enumerate(STRIDES, 1):
        block, wide = f"features.{number}.conv", maps
        layers = 0
        if f"{block}.3.weight" in state:
            wide = convolved(wide, f"{block}.0.0", f"{block}.0.1")
            layers = 1
        wide = convolved(wide, f"{block}.{layers}.0", f"{block}.{layers}.1", stride=stride)
        out = convolved(wide, f"{block}.{layers + 1}", f"{block}.{layers + 2}", cut_off=False)
        maps = maps + out if stride == 1 and maps.shape == out.shape else out
    features = convolved(maps, "features.18.0", "features.18.1").flatten(2).mean(2)
    return features, features @ state["classifier.1.weight"].T + state["classifier.1.bias"]


def test_it_has_as_many_weights_as_the_published_one():
    with outlined():
        network = MobileNetV2()
    counts = {
        name: sum(p.numel() for p in part.parameters()) for name, part in network.named_children()
    }
    assert counts == {"features": 2_223_872, "classifier": 1_281_000}
    assert sum(counts.values()) == 3_504_872


def test_it_has_the_published_keys_and_shapes(published):
    with outlined():
        state = MobileNetV2().state_dict()
    assert [(name, tuple(value.shape)) for name, value in state.items()] == [
        (name, tuple(value.shape)) for name, value in published.items()
    ]


@pytest.mark.parametrize("side", [32, 75, 96])
def test_it_agrees_with_the_network_written_by_hand(published, side):
    network = MobileNetV2().eval().requires_grad_(requires_grad=False)
    network.load_state_dict(published)
    features, scores = by_hand(published, drawn(side))
    torch.testing.assert_close(network.features(drawn(side)), features, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(network(drawn(side)), scores, rtol=1e-4, atol=1e-3)
    assert features.std() > 0.1


def test_maps_shrink_as_in_the_paper(network):
    maps, sides, channels = drawn(224, 1), [], []
    for layer in network.features:
        maps = layer(maps)
        sides.append(maps.shape[2])
        channels.append(maps.shape[1])
    ends, last = [], 0
    for stage in STAGES:
        last += stage.repeats
        ends.append(last)
    assert [sides[0], *(sides[end] for end in ends), sides[-1]] == [
        112, 112, 56, 28, 14, 14, 7, 7, 7,
    ]  # fmt: skip
    assert [channels[end] for end in ends] == [stage.channels for stage in STAGES]


def test_features_are_averaged_and_cut_off_at_six(network):
    features = network.features(drawn(64) * 100)
    assert features.shape == (2, 1280)
    assert features.min() >= 0
    assert features.max() <= 6


def test_folding_the_norms_changes_nothing(network):
    before = network(drawn(64))
    parameters = {type(module).__name__ for module in network.modules()}
    assert "BatchNorm2d" in parameters
    fold_norms(network)
    assert "BatchNorm2d" not in {type(module).__name__ for module in network.modules()}
    torch.testing.assert_close(network(drawn(64)), before, rtol=1e-4, atol=1e-5)
    assert before.std() > 1e-3
