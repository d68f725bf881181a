import json

import numpy as np
import pytest
from PIL import Image, ImageFilter

from impasto.data import layout
from impasto.data.config import DataConfig, Subject
from impasto.data.prepare import prepare
from impasto.data.prepared import Prepared
from impasto.data.rules import STANDARD, Rules, rules_of
from impasto.errors import ConfigError, SourceError

SIZE = 32


def scene(seed: int, width: int = 96, height: int = 96) -> Image.Image:
    """Hard-edged patches with grain: sharp, structured, unlike every other seed."""
    generator = np.random.default_rng(seed)
    patches = generator.integers(30, 256, (7, 7, 3), dtype=np.uint8)
    image = Image.fromarray(patches).resize((width, height), Image.Resampling.NEAREST)
    grain = generator.normal(0, 9, (height, width, 3))
    return Image.fromarray((np.asarray(image) + grain).clip(0, 255).astype(np.uint8))


@pytest.fixture
def found(tmp_path):
    """Twelve good pictures, and one for each flaw."""
    root = tmp_path / "found"
    root.mkdir()
    for number in range(12):
        scene(number).save(root / f"good-{number:02d}.png")
    scene(50).point(lambda level: level // 8).save(root / "night.png")
    scene(51).filter(ImageFilter.GaussianBlur(9)).save(root / "soft.png")
    Image.new("RGB", (96, 96), "#708090").save(root / "wall.png")
    scene(52, 400, 90).save(root / "strip.png")
    scene(53).resize((14, 14)).save(root / "stamp.png")
    (root / "zcopy.png").write_bytes((root / "good-00.png").read_bytes())
    scene(1).resize((80, 80)).save(root / "again.jpg", quality=80)
    (root / "torn.png").write_bytes((root / "good-02.png").read_bytes()[:900])
    return root


EXPECTED = {
    "again.jpg": "near duplicate",
    "night.png": "dark",
    "soft.png": "blurred",
    "stamp.png": "too small",
    "strip.png": "odd aspect",
    "torn.png": "damaged",
    "wall.png": "uniform",
    "zcopy.png": "duplicate",
}


def told(made: Prepared) -> dict[str, str]:
    return {name: reason.kind for name, reason in made.rejects()}


def config(rules: Rules) -> DataConfig:
    return DataConfig(size=SIZE, rules=rules)


# Patches of one colour with hard edges are drawn pictures, after all.
USUAL = rules_of(("drawn=off", "text=off"))


def test_each_flaw_is_left_out_with_its_reason(found, tmp_path):
    made = prepare(found, config(USUAL), tmp_path / "set")
    assert told(made) == EXPECTED
    assert made.kept == 12
    rows = {row["name"]: row for row in layout.read_rows(tmp_path / "set" / layout.ROWS)}
    assert rows["zcopy.png"]["detail"] == "of good-00.png"
    assert rows["again.jpg"]["detail"].startswith("of good-01.png, ")
    assert rows["strip.png"]["detail"] == "long side over short side 4.44, at most 3"
    assert rows["good-03.png"]["reason"] is None
    facts = json.loads((tmp_path / "set" / layout.FACTS).read_text())
    assert facts["reasons"] == dict.fromkeys(EXPECTED.values(), 1)


@pytest.mark.parametrize("name", sorted(set(EXPECTED) - {"torn.png"}))
def test_each_rule_can_be_switched_off_without_decoding_again(found, tmp_path, name, monkeypatch):
    prepare(found, config(USUAL), tmp_path / "set")
    # Whatever were decoded now would come out as no outcome at all, and fail.
    monkeypatch.setattr("impasto.data.prepare.run", lambda work, _: (job for job in work))
    rule = EXPECTED[name].replace(" ", "_")
    rules = rules_of(("drawn=off", "text=off", f"{rule}=off", "near_duplicate=off"))
    again = prepare(found, config(rules), tmp_path / "set")
    left = told(again)
    assert left.get(name) != EXPECTED[name]  # one without structure is blurred too
    assert left["torn.png"] == "damaged"


def test_no_rules_keep_all_that_decodes(found, tmp_path):
    made = prepare(found, config(Rules()), tmp_path / "set")
    assert told(made) == {"torn.png": "damaged"}


def test_a_rule_that_most_break_is_silent_and_says_so(found, tmp_path):
    made = prepare(found, config(Rules(dark=300)), tmp_path / "set")
    assert told(made) == {"torn.png": "damaged"}
    (notice,) = made.notices
    assert "rule 'dark' was not applied: 100% of the pictures break it" in notice


def test_where_nothing_is_left_it_says_what_to_do(tmp_path):
    root = tmp_path / "found"
    root.mkdir()
    scene(0).save(root / "a.png")
    scene(1).save(root / "b.png")
    faces = DataConfig(size=SIZE, subject=Subject(name="cat-face"))
    with pytest.raises(
        SourceError, match=r"none of 2 pictures is left \(a.png: no subject: cat-face"
    ):
        prepare(root, faces, tmp_path / "set")
    assert not (tmp_path / "set" / "pixels.npy").exists()


def test_changes_to_the_usual_rules():
    assert rules_of(()) == STANDARD
    assert rules_of(("off",)) == Rules()
    changed = rules_of(("blurred=off", "near-duplicate=8", "duplicate=off"))
    assert (changed.blurred, changed.near_duplicate, changed.duplicate) == (None, 8, False)
    assert changed.dark == STANDARD.dark
    assert rules_of(("dark=on",), Rules()).dark == STANDARD.dark
    for word, message in {
        "blured=off": r"--rules blured=off: no rule 'blured': did you mean blurred\?",
        "blurred": "expected NAME=NUMBER",
        "dark=much": "--rules: dark: ",
        "near_duplicate=99": "--rules: near_duplicate: ",
    }.items():
        with pytest.raises(ConfigError, match=message):
            rules_of((word,))
