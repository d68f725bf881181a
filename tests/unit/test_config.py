import re

import pytest

from impasto.config import from_plain, from_yaml, override, to_plain, to_yaml
from impasto.errors import ConfigError
from impasto.recipes import RECIPES
from impasto.runs.config import RunConfig

CATS = RECIPES["cats96"]


@pytest.mark.parametrize("name", RECIPES)
def test_yaml_and_plain_return_the_same_recipe(name):
    recipe = RECIPES[name]
    assert from_yaml(RunConfig, to_yaml(recipe), where="a file") == recipe
    assert from_plain(RunConfig, to_plain(recipe), where="a header") == recipe


def test_override_sets_nested_fields_and_leaves_the_rest():
    changed = override(CATS, ("train.batch=8", "family.schedule.gamma=0.5", "data.only=[a/*, b/*]"))
    assert (changed.train.batch, changed.family.schedule.gamma) == (8, 0.5)
    assert changed.data.only == ("a/*", "b/*")
    assert changed.data.size == CATS.data.size


def test_override_with_a_kind_takes_that_kinds_defaults():
    changed = override(CATS, ("family.schedule=cosine", "family.schedule.final=0.1"))
    assert to_plain(changed.family.schedule) == {"name": "cosine", "final": 0.1}


def test_numbers_written_without_a_dot_are_numbers():
    assert override(CATS, ("family.learning_rate=1e-4",)).family.learning_rate == 1e-4


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("train.bach=3", r"train\.bach: no field 'bach': did you mean batch\?"),
        ("trian.batch=3", r"no field 'trian': did you mean train\?"),
        ("train.batch", r"expected part\.field=value"),
        ("train.batch=many", r"train\.batch: .*integer.*'many'"),
        ("train.batch=0", r"train\.batch: .*greater than 0, not 0"),
        ("train.budget.unit=weeks", r"train\.budget\.unit: .*'epochs'.*not 'weeks'"),
        ("data.crop=middle", r"data\.crop: .*'squash'.*not 'middle'"),
        ("family=dcgann", r"family: no kind 'dcgann': did you mean dcgan\?"),
        ("family.schedule=cosin", r"family\.schedule: no kind 'cosin': did you mean cosine\?"),
        ("family.learning_rate=.inf", r"family\.learning_rate: .*finite"),
        ("train.batch.size=3", r"train\.batch\.size: no field 'size'"),
    ],
)
def test_errors_name_the_field_the_value_and_what_is_right(setting, said):
    with pytest.raises(ConfigError) as error:
        override(CATS, (setting,))
    assert re.search(said, str(error.value)), error.value
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1, 2", "x.yaml: not YAML"),
        ("- 1", "x.yaml: expected fields"),
        ("", "x.yaml: expected fields"),
        ("name: a", "x.yaml: family is missing"),
        ("name: a\nfamly: {}", "x.yaml: unknown field famly: did you mean family?"),
        (
            "name: a\nfamily: {name: dcgan, wdth: 3}",
            "x.yaml: unknown field family.wdth: did you mean width?",
        ),
    ],
)
def test_a_bad_file_is_named(text, said):
    with pytest.raises(ConfigError) as error:
        from_yaml(RunConfig, text, where="x.yaml")
    assert str(error.value).startswith(said), error.value
