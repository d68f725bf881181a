import torch
from torch import nn

from impasto.nn.blocks import BatchNorm2d, frozen_statistics


def test_batch_norm_alone_is_torchs_own():
    torch.manual_seed(0)
    x = torch.randn(4, 3, 5, 5)
    ours, theirs = BatchNorm2d(3), nn.BatchNorm2d(3)
    assert torch.equal(ours(x), theirs(x))
    assert torch.equal(ours.running_var, theirs.running_var)


def test_frozen_statistics_use_the_batch_and_remember_nothing():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), BatchNorm2d(4))
    x = torch.randn(4, 3, 5, 5) * 3 + 1
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with frozen_statistics(network), torch.no_grad():
        out = network(x)
    assert torch.allclose(
        out.mean((0, 2, 3)), torch.zeros(4), atol=1e-5
    )  # by the batch's own statistics
    after = network.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    network(x)
    assert not torch.equal(network[1].running_mean, before["1.running_mean"])  # and thaws again
