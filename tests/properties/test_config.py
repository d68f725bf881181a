"""Any configuration goes to YAML and back unchanged, and no text makes the reader crash."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from impasto.config import from_plain, from_yaml, override, to_plain, to_yaml
from impasto.data.config import DataConfig
from impasto.errors import ConfigError
from impasto.families.dcgan import DCGANConfig
from impasto.families.mlp_gan import MLPGANConfig
from impasto.families.trick_gan import TrickGANConfig
from impasto.recipes import RECIPES
from impasto.runs.config import RunConfig, TrainConfig
from impasto.schedules import Constant, Cosine, InverseTime, StepDecay
from impasto.types import Budget

positive = st.floats(1e-9, 1e9)
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
schedules = st.one_of(
    st.builds(Constant),
    st.builds(StepDecay, gamma=positive, epochs=positive),
    st.builds(Cosine, final=st.floats(0, 1)),
    st.builds(InverseTime, decay=st.floats(0, 1), batch=st.integers(1, 10**6)),
)
families = st.one_of(
    st.builds(DCGANConfig, latents=st.integers(1, 999), learning_rate=positive, schedule=schedules,
              generator_biases=st.lists(st.integers(0, 9)).map(tuple)),
    st.builds(MLPGANConfig, width=st.integers(1, 999), schedule=schedules),
    st.builds(TrickGANConfig, dropout=st.floats(0, 0.99), schedule=schedules),
)  # fmt: skip
configs = st.builds(
    RunConfig,
    name=words,
    description=words,
    data=st.builds(
        DataConfig,
        size=st.integers(4, 4096),
        crop=st.sampled_from(["center", "squash", "pad", "random"]),
        classes=st.lists(words).map(tuple),
        only=st.lists(words).map(tuple),
        limit=st.none() | st.integers(1, 10**9),
    ),
    family=families,
    train=st.builds(
        TrainConfig,
        budget=st.builds(
            Budget, positive, st.sampled_from(["images", "steps", "epochs", "minutes"])
        ),
        seed=st.integers(0, 2**63),
    ),
)


@given(configs)
def test_round_trip(config):
    assert from_yaml(RunConfig, to_yaml(config), where="yaml") == config
    assert from_plain(RunConfig, json.loads(json.dumps(to_plain(config))), where="json") == config


@given(st.text(max_size=200))
def test_any_text_is_a_configuration_or_an_error_of_one_line(text):
    try:
        from_yaml(RunConfig, text, where="file")
    except ConfigError as error:
        assert str(error).startswith("file: ")
        assert "\n" not in str(error)


@settings(max_examples=200)
@given(
    st.text(max_size=40) | st.sampled_from(["train", "data", "family.schedule", "train.budget"]),
    st.text(max_size=20),
)
def test_any_setting_is_taken_or_refused_with_an_error(path, value):
    try:
        override(RECIPES["kittens"], (f"{path}={value}",))
    except ConfigError as error:
        assert str(error).startswith("--set")
