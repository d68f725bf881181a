import pytest
import torch

from impasto.seeds import Streams, seed_of, seeded, stream


def test_streams_differ_by_seed_name_and_counter():
    seeds = [seed_of(s, n, c) for s in (0, 1) for n in ("latents", "order") for c in (0, 64)]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_a_stream_repeats():
    a, b = (torch.randn(5, generator=stream(3, "latents", 7)) for _ in range(2))
    assert torch.equal(a, b)


@pytest.mark.parametrize("draw", ["normal", "uniform"])
def test_slices_of_processes_make_up_the_draw_of_one(draw):
    def drawn(rank, processes):
        streams = Streams(0, torch.device("cpu"), rank, processes)
        return getattr(streams, draw)("latents", 128, (12 // processes, 3))

    assert torch.equal(torch.cat([drawn(rank, 3) for rank in range(3)]), drawn(0, 1))


def test_seeded_repeats_and_leaves_the_outer_generator_alone():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    with seeded(0, "weights"):
        first = torch.rand(3)
    assert torch.equal(torch.rand(3), expected)
    with seeded(0, "weights"):
        assert torch.equal(torch.rand(3), first)
