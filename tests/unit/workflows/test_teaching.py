"""Networks that learn styles: learning, going on, painting at once, and leaving as ONNX."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

import impasto
from impasto.cli.main import main
from impasto.data.original import read_original
from impasto.errors import ConfigError, DamagedFile, ModelError, RunError, SourceError
from impasto.events import Finished, Tick
from impasto.runs.directory import Run
from impasto.workflows.learnt import load_styles
from impasto.workflows.repainting import export_styles, repaint
from impasto.workflows.teaching import resume_lesson, train_style

SMALL = ("size=64", "width=4", "batch=2", "copied=10")
CONTENTS = "kittens:12"


@pytest.fixture(scope="module", autouse=True)
def _weights(shared):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMPASTO_WEIGHTS", str(shared / "weights"))
        yield


@pytest.fixture(scope="module")
def styles(tmp_path_factory):
    folder = tmp_path_factory.mktemp("styles")
    paths = []
    for seed, name in enumerate(("dots", "lines")):
        coarse = np.random.default_rng(seed).integers(0, 255, (9, 9, 3)).astype(np.uint8)
        paths.append(folder / f"{name}.png")
        Image.fromarray(coarse).resize((72, 64)).save(paths[-1])
    return paths


def taught(styles, to, **told):
    return train_style(styles, CONTENTS, to=to, settings=SMALL, device="cpu", **told)


def leave_early(training):
    with training:
        for event in training:
            if isinstance(event, Tick):
                break


def learnt_the_same(*runs):
    one, other = (load_styles(run).network.state_dict() for run in runs)
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture(scope="module")
def run(styles, tmp_path_factory):
    path = tmp_path_factory.mktemp("lesson") / "run"
    taught(styles, path, images=60).finish()
    return path


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    coarse = np.random.default_rng(5).integers(0, 255, (6, 5, 3)).astype(np.uint8)
    Image.fromarray(coarse).resize((61, 43)).save(path)
    return path


def test_it_first_learns_to_give_back_what_it_is_shown(styles, tmp_path):
    settings = (*SMALL[:3], "copied=80")
    training = train_style(
        styles, CONTENTS, to=tmp_path / "run", settings=settings, device="cpu", images=80
    )
    ticks = [event for event in training if isinstance(event, Tick)]
    assert ticks[-1].scalars["total"] < 0.7 * ticks[0].scalars["total"]
    assert ticks[-1].scalars["content"] < ticks[0].scalars["content"]
    assert ticks[-1].scalars["style"] > 0, "told all the same"


def test_it_learns(run):
    ticks = [event for event in Run.open(run).events() if isinstance(event, Tick)]
    assert ticks[-1].scalars["style"] < ticks[0].scalars["style"]
    assert ticks[-1].fraction == 1
    assert load_styles(run).names == ("dots", "lines")
    assert load_styles(run / "model.safetensors").provenance["images_seen"] == 60
    sheet = Run.open(run).frames()[-1]
    with Image.open(sheet) as shown:
        assert shown.size[0] > 2 * 64


def test_going_on_ends_the_same(styles, tmp_path):
    taught(styles, tmp_path / "whole", images=12).finish()
    leave_early(taught(styles, tmp_path / "half", images=12))
    assert load_styles(tmp_path / "half")  # it can be used as it is
    resumed = list(resume_lesson(tmp_path / "half"))
    assert isinstance(resumed[-1], Finished)
    assert learnt_the_same(tmp_path / "whole", tmp_path / "half")


def test_painting_at_any_size_and_in_any_mixture(run, photo, tmp_path):
    told = repaint(photo, run, to=tmp_path / "a.png")
    assert told["size"] == [61, 43]
    assert told["styles"] == {"dots": 1.0, "lines": 0.0}
    repaint(photo, run, to=tmp_path / "b.png", styles=["lines"])
    repaint(photo, run, to=tmp_path / "c.png", styles=["lines", "dots:3"], size=100)
    one, other, mixed = (read_original(tmp_path / f"{n}.png").levels for n in "abc")
    assert one.shape == other.shape == (43, 61, 3)
    assert not np.array_equal(one, other)
    assert mixed.shape == (70, 100, 3)


def test_mask_and_colours_are_kept(run, photo, tmp_path):
    mask = np.zeros((43, 61), np.uint8)
    mask[:, 30:] = 255
    Image.fromarray(mask).save(tmp_path / "m.png")
    repaint(photo, run, to=tmp_path / "a.png", mask=tmp_path / "m.png", keep_color="luminance")
    found, own = (read_original(p).levels.astype(int) for p in (tmp_path / "a.png", photo))
    assert np.abs(found - own)[:, :29].max() <= 1
    assert np.abs(found - own)[:, 32:].mean() > 2


def test_onnx_paints_the_same(run, tmp_path):
    import onnxruntime

    learnt = load_styles(run)
    session = onnxruntime.InferenceSession(export_styles(run, tmp_path / "n.onnx"))
    pictures, mix = torch.rand(3, 3, 48, 80) * 2 - 1, torch.tensor([[1.0, 0], [0, 1], [0.5, 0.5]])
    (found,) = session.run(None, {"pictures": pictures.numpy(), "mix": mix.numpy()})
    wanted = learnt.network(pictures, mix)
    assert float((torch.from_numpy(found) - wanted).abs().max()) < 1e-4


@pytest.fixture(scope="module")
def anything(styles, tmp_path_factory):
    path = tmp_path_factory.mktemp("lesson") / "anything"
    taught_any(styles, path, images=24).finish()
    return path


def taught_any(styles, to, more=(), **told):
    return train_style(
        [styles[0].parent],
        CONTENTS,
        to=to,
        arbitrary=True,
        settings=(*SMALL, "codes=8", *more),
        device="cpu",
        **told,
    )


def test_any_manner_has_no_names(anything):
    learnt = load_styles(anything)
    assert learnt.names == ()
    assert not any(p.requires_grad for p in learnt.network.parameters())


def test_any_manner_is_told_by_what_is_shown(anything, styles, photo, tmp_path):
    dots, lines = map(str, styles)
    told = repaint(photo, anything, to=tmp_path / "a.png", styles=[dots])
    assert told["styles"] == {"dots": 1.0}
    mixed = repaint(photo, anything, to=tmp_path / "b.png", styles=[f"{dots}:3", lines])
    assert mixed["styles"] == {"dots": 0.75, "lines": 0.25}
    repaint(photo, anything, to=tmp_path / "c.png", styles=[lines])
    repaint(photo, anything, to=tmp_path / "d.png", styles=[dots], strength=0)
    repaint(photo, anything, to=tmp_path / "e.png", styles=[lines], strength=0.5)
    a, b, c, d, e = (read_original(tmp_path / f"{n}.png").levels.astype(int) for n in "abcde")
    own = read_original(photo).levels.astype(int)
    assert a.shape == (43, 61, 3)
    apart = np.abs(a - c).mean()
    assert 0 < np.abs(a - b).mean() < apart  # a mixture lies between
    assert np.abs(d - own).max() <= 1  # none of a manner
    assert np.abs(2 * e - own - c).max() <= 2  # half of one


def test_any_manner_goes_on_the_same(styles, tmp_path):
    taught_any(styles, tmp_path / "whole", images=8).finish()
    leave_early(taught_any(styles, tmp_path / "half", images=8))
    resume_lesson(tmp_path / "half").finish()
    assert learnt_the_same(tmp_path / "whole", tmp_path / "half")


def test_any_manner_leaves_as_onnx(anything, tmp_path):
    import onnxruntime

    session = onnxruntime.InferenceSession(export_styles(anything, tmp_path / "n.onnx"))
    pictures, styles = torch.rand(1, 3, 48, 80) * 2 - 1, torch.rand(1, 3, 64, 40) * 2 - 1
    (found,) = session.run(None, {"pictures": pictures.numpy(), "styles": styles.numpy()})
    wanted = load_styles(anything).network(pictures, styles)
    assert float((torch.from_numpy(found) - wanted).abs().max()) < 1e-3


def test_lessons_refuse_other_paintings(styles, tmp_path):
    mine = tmp_path / "mine.png"
    mine.write_bytes(styles[0].read_bytes())
    taught([mine], tmp_path / "run", images=4).finish()
    mine.write_bytes(styles[1].read_bytes())
    with pytest.raises(RunError, match="paintings are not those"):
        resume_lesson(tmp_path / "run", images=8)


def test_at_once_for_a_folder(run, photo, tmp_path, capsys):
    folder = tmp_path / "photos"
    folder.mkdir()
    photo.rename(folder / "photo.png")
    words = ["stylize", str(folder), "--fast", str(run), "--to", f"{tmp_path}/out", "--json"]
    main(words)
    told = json.loads(capsys.readouterr().out)
    assert told["painted"] == 2
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "photo--dots.png",
        "photo--lines.png",
    ]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--steps", "9"], "--steps: not for --fast"),
        (["--detail", "1", "--start", "noise"], "--detail, --start: not for --fast"),
        (["--strength", "0.5"], "learnt how strongly"),
        (["--scale", "2"], "learnt its strokes"),
    ],
)
def test_what_a_network_cannot_be_told(run, photo, tmp_path, capsys, words, told):
    line = ["stylize", str(photo), "--fast", str(run), "--to", f"{tmp_path}/o.png", *words]
    with pytest.raises(SystemExit):
        main(line)
    assert told in capsys.readouterr().err


def test_any_manner_wants_to_be_shown_one(anything, photo, tmp_path):
    with pytest.raises(ConfigError, match="name at least one painting"):
        repaint(photo, anything, to=tmp_path / "o.png")


def test_strength_and_scale_have_ends(anything, styles, photo, tmp_path):
    shown = [str(styles[0])]
    with pytest.raises(ConfigError, match="from 0 to 1"):
        repaint(photo, anything, to=tmp_path / "o.png", styles=shown, strength=1.5)
    with pytest.raises(ConfigError, match="--scale 9: above 0"):
        repaint(photo, anything, to=tmp_path / "o.png", styles=shown, scale=9)


def test_the_commands(styles, photo, tmp_path, capsys):
    words = ["train-style", str(styles[0]), "--content", CONTENTS, "--steps", "2"]
    main([*words, "--set", *SMALL, "--to", f"{tmp_path}/dots", "--json"])
    *events, last = capsys.readouterr().out.splitlines()
    assert json.loads(events[-1])["event"] == "finished"
    assert json.loads(last)["to"] == f"{tmp_path}/dots"
    main(
        ["stylize", str(photo), "--fast", f"{tmp_path}/dots", "--to", f"{tmp_path}/o.png", "--json"]
    )
    told = json.loads(capsys.readouterr().out)
    names = "seconds steps content_loss style_loss size peak_memory_bytes"
    assert set(names.split()) <= told.keys()
    assert 0 < told["content_loss"] == told["content_distance"]
    assert 0 < told["style_loss"] == told["style_distance"]
    with pytest.raises(SystemExit):
        main(["resume", f"{tmp_path}/dots", "--epochs", "2"])
    assert "--epochs: not for a network that learns styles" in capsys.readouterr().err
    main(["resume", f"{tmp_path}/dots", "--images", "6"])
    assert "from 4 on" in capsys.readouterr().out


def test_what_cannot_be_is_told(styles, run, photo, tmp_path):
    with pytest.raises(ConfigError, match="two have one name"):
        taught([styles[0], styles[0]], tmp_path / "x")
    with pytest.raises(ConfigError, match="no style"):
        taught([], tmp_path / "x")
    with pytest.raises(SourceError, match=r"fewer than a batch of 3; give more, or --set batch=2"):
        train_style(styles, "kittens:2", to=tmp_path / "x", settings=("size=64", "batch=3"))
    folder = tmp_path / "paintings"
    folder.mkdir()
    (folder / "a.png").write_bytes(styles[0].read_bytes())
    (folder / "b.png").write_text("no picture")
    with pytest.raises(SourceError, match=r"b\.png: not a picture"):
        train_style([folder], "kittens:8", to=tmp_path / "x", arbitrary=True)
    with pytest.raises(ConfigError, match=r"--scale: any manner .* say it to `impasto stylize`"):
        taught_any(styles, tmp_path / "x", more=("scale=2",))
    with pytest.raises(ConfigError, match=r"is a folder; .* --arbitrary"):
        taught([tmp_path], tmp_path / "x")
    with pytest.raises(RunError, match="the run of a style, not of a training"):
        impasto.report(run)
    with pytest.raises(ConfigError, match="has learnt no dot; did you mean dots"):
        repaint(photo, run, to=tmp_path / "o.png", styles=["dot"])
    with pytest.raises(ConfigError, match="is no weight"):
        repaint(photo, run, to=tmp_path / "o.png", styles=["dots:much"])
    with pytest.raises(ModelError, match="impasto train-style PAINTING"):
        repaint(photo, tmp_path / "nothing", to=tmp_path / "o.png")
    with pytest.raises(ConfigError, match="paint it smaller"):
        repaint(photo, run, to=tmp_path / "o.png", memory=1e5)
    model = tmp_path / "model.safetensors"
    content = bytearray((run / "model.safetensors").read_bytes())
    content[-3] ^= 1
    model.write_bytes(content)
    with pytest.raises(DamagedFile, match="do not match their checksum"):
        repaint(photo, model, to=tmp_path / "o.png")
    assert not (tmp_path / "o.png").exists()
    assert not (tmp_path / "x").exists()
