"""Every autoencoder codes and draws pictures of any side, and a picture's code is its own in any batch."""

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from impasto.attributes import Attribute, width_of
from impasto.errors import ConfigError
from impasto.families.autoencoder import AutoencoderConfig, PlainAutoencoder
from impasto.families.conditional_vae import ConditionalVAE, ConditionalVAEConfig
from impasto.families.sharp_vae import SharpVAE, SharpVAEConfig
from impasto.families.vae import VAE, VAEConfig
from impasto.seeds import Streams
from impasto.types import ImageShape

KNOWN = (Attribute(name="hat", values=("no", "yes")), Attribute(name="age"))
KINDS = {
    "autoencoder": (PlainAutoencoder, AutoencoderConfig(latents=5, width=2)),
    "vae": (VAE, VAEConfig(latents=5, width=2)),
    "conditional_vae": (
        ConditionalVAE,
        ConditionalVAEConfig(
            latents=5, width=2, attributes=KNOWN, at_every_layer=True, at_encoder=True
        ),
    ),
    "sharp_vae": (
        SharpVAE,
        SharpVAEConfig(channels=3, width=2, perceptual=0, discriminator_width=2),
    ),
}


def model_of(name, channels, size):
    kind, config = KINDS[name]
    return kind(config, ImageShape(channels, size), Streams(0, torch.device("cpu"))).model()


@settings(max_examples=40)
@given(
    st.sampled_from(sorted(KINDS)),
    st.sampled_from([1, 3]),
    st.integers(16, 100),
    st.integers(1, 5),
    st.integers(0, 99),
)
@example("vae", 1, 28, 3, 0)
@example("conditional_vae", 3, 256, 2, 0)
@example("sharp_vae", 3, 28, 2, 0)
@example("autoencoder", 1, 8, 2, 0)
def test_what_is_coded_and_drawn_has_the_shape_of_the_pictures(name, channels, size, count, seed):
    model = model_of(name, channels, size)
    drawn = np.random.default_rng(seed)
    pictures = drawn.integers(0, 256, (count, size, size, channels), np.uint8)
    known = torch.from_numpy(drawn.random((count, width_of(model.attributes)), np.float32))
    codes = model.encode(pictures, known)
    assert codes.shape == (count, model.latents)
    back = model.decode(codes, known)
    assert back.shape == pictures.shape
    assert back.dtype == np.uint8
    for alone in range(count):
        own = model.encode(pictures[alone : alone + 1], known[alone : alone + 1])
        assert torch.allclose(own[0], codes[alone], atol=1e-5)


def test_a_sharp_vae_says_when_pictures_are_too_small():
    with pytest.raises(ConfigError, match=r"family.halvings: 3: pictures of 15 pixels.*fewer"):
        model_of("sharp_vae", 3, 15)
