"""The smallest training that is one: a fully connected GAN on 8 x 8 grey kittens."""

import impasto

SMALL = (
    "data.size=8",
    "data.channels=1",
    "family.width=16",
    "family.latents=8",
    "train.batch=4",
    "train.grid=4",
)

KITTENS = "kittens:80"  # in colour, with attributes, for models that are used and not watched


def start(to, *settings, steps=8, source="kittens:40", **options):
    """A training under way, with so many steps ahead of it."""
    return impasto.train(
        source,
        recipe="mnist-mlp",
        to=to,
        steps=steps,
        device="cpu",
        settings=(*SMALL, *settings),
        **options,
    )


def kinds(events, kind):
    """The events of a kind."""
    return [event for event in events if isinstance(event, kind)]
