"""Pictures unlike the normal ones."""

import numpy as np
import pytest
from PIL import Image
from small import KITTENS as SOURCE

from impasto.cli.main import main
from impasto.errors import BadInput
from impasto.workflows.oddities import anomalies, learn_normals
from impasto.workflows.reading import opened, pictures


@pytest.fixture(scope="module")
def mixed(coder, tmp_path_factory):
    """Kittens, and kittens with a square over them, in a folder each."""
    folder = tmp_path_factory.mktemp("mixed")
    prepared = pictures(SOURCE, opened(coder).data)
    for place in range(20):
        image = prepared[place].copy()
        kind = "good" if place % 2 else "covered"
        if kind == "covered":
            image[2:14, 2:14] = [0, 255, 0]
        (folder / kind).mkdir(exist_ok=True)
        Image.fromarray(image).save(folder / kind / f"{place}.png")
    return folder


def test_covered_pictures_are_odder_than_the_others(coder, mixed, tmp_path):
    found = anomalies(coder, mixed, heat=tmp_path / "heat", rate=0.1)
    assert found.ranking.auroc > 0.9
    assert [each.score for each in found.pictures] == sorted(
        (each.score for each in found.pictures), reverse=True
    )
    odd = [each for each in found.pictures if each.odd]
    assert len(list((tmp_path / "heat").glob("*.png"))) == len(odd) > 0
    with Image.open(min((tmp_path / "heat").glob("*.png"))) as row:
        assert row.size == (3 * 128, 128)
    plain = found.to_plain()
    assert plain["odd"] == len(odd)
    assert plain["auroc"] == found.ranking.auroc


def test_normal_pictures_set_the_threshold_which_the_model_keeps(coder, mixed, tmp_path):
    copy = tmp_path / "model.safetensors"
    copy.write_bytes((coder / "model.safetensors").read_bytes())
    digest = opened(copy).digest
    first = anomalies(copy, mixed, normal="kittens:60", rate=0.2)
    assert first.normals == 60
    assert first.rate == 0.2
    again = anomalies(copy, mixed)
    assert again.threshold == pytest.approx(first.threshold)
    assert opened(copy).digest == digest


def test_other_classes_can_be_the_normal_ones(coder, mixed):
    usual = anomalies(coder, mixed).ranking
    other = anomalies(coder, mixed, normal_classes=["covered"]).ranking
    assert other.auroc == pytest.approx(1 - usual.auroc)
    with pytest.raises(BadInput, match="no such class"):
        anomalies(coder, mixed, normal_classes=["blue"])


def test_without_classes_there_is_no_ranking(coder):
    found = anomalies(coder, SOURCE)
    assert found.ranking is None
    assert np.isfinite(found.told_apart)


def test_normal_pictures_are_learnt_from_alone(tmp_path):
    training = learn_normals("kittens:60", to=tmp_path / "run", minutes=0.02)
    training.finish()
    assert opened(tmp_path / "run").coder.provenance["settled"]


def test_few_normal_pictures_are_learnt_from_too(tmp_path):
    learn_normals("kittens:12", to=tmp_path / "run", images=24).finish()
    assert opened(tmp_path / "run").coder


def test_only_normal_classes_set_the_threshold(coder, mixed, tmp_path):
    copy = tmp_path / "model.safetensors"
    copy.write_bytes((coder / "model.safetensors").read_bytes())
    found = anomalies(copy, mixed, normal=mixed, normal_classes=["good"])
    assert found.normals == 10
    assert found.rate == pytest.approx(1 / 11)  # so few cannot tell a hundredth
    assert not any(each.odd for each in found.pictures if each.name.startswith("good"))
    assert anomalies(copy, SOURCE, normal=mixed, normal_classes=["good"]).ranking is None


def test_one_picture_can_be_looked_at(coder, mixed):
    (found,) = anomalies(coder, mixed / "covered" / "0.png").pictures
    assert found.name.endswith("0.png")


def test_what_cannot_be_judged_is_told(coder, drawer):
    with pytest.raises(BadInput, match="does not read them"):
        anomalies(drawer, SOURCE)
    with pytest.raises(BadInput, match="between 0 and 1"):
        anomalies(coder, SOURCE, rate=2)
    with pytest.raises(BadInput, match="too few"):
        anomalies(coder, SOURCE, normal="kittens:4")


def test_what_is_for_learning_is_refused_where_there_is_a_model(coder, tmp_path, capsys):
    words = ["anomalies", "--model", str(coder), "--check", "kittens:4", "--to", f"{tmp_path}/x"]
    with pytest.raises(SystemExit):
        main(words)
    assert "are for learning" in capsys.readouterr().err
