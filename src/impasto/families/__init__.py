"""The families, by name. A new one is its own file and one line in each of the two places below."""

from typing import Annotated

from pydantic import Field

from impasto.families.autoencoder import AutoencoderConfig, PlainAutoencoder
from impasto.families.base import Batch, Family, Model, Probe, Scalars
from impasto.families.conditional_vae import ConditionalVAE, ConditionalVAEConfig
from impasto.families.dcgan import DCGAN, DCGANConfig
from impasto.families.mlp_gan import MLPGAN, MLPGANConfig
from impasto.families.sharp_vae import SharpVAE, SharpVAEConfig
from impasto.families.trick_gan import TrickGAN, TrickGANConfig
from impasto.families.vae import VAE, VAEConfig

FAMILIES: dict[str, type[Family]] = {
    "autoencoder": PlainAutoencoder,
    "conditional_vae": ConditionalVAE,
    "dcgan": DCGAN,
    "mlp_gan": MLPGAN,
    "sharp_vae": SharpVAE,
    "trick_gan": TrickGAN,
    "vae": VAE,
}

FamilyConfig = Annotated[
    AutoencoderConfig
    | ConditionalVAEConfig
    | DCGANConfig
    | MLPGANConfig
    | SharpVAEConfig
    | TrickGANConfig
    | VAEConfig,
    Field(discriminator="name"),
]

__all__ = ["FAMILIES", "Batch", "Family", "FamilyConfig", "Model", "Probe", "Scalars"]
