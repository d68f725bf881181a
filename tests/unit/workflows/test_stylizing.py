"""Painting, from files to files: what is kept, what is refused, and going on."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

import impasto
from impasto.cli.main import main
from impasto.data.original import Original, read_original, write_original
from impasto.errors import ConfigError, RunError, SourceError
from impasto.events import Finished, Sampled, Started, Tick
from impasto.runs.directory import Run
from impasto.style import judging
from impasto.style.canvas import Tiling
from impasto.style.memory import Plan
from impasto.workflows import stylizing
from impasto.workflows.exhibiting import many, stylize_many
from impasto.workflows.staging import Order, named, stage
from impasto.workflows.stylizing import resume_painting

SMALL = (
    "painter.least_size=32",
    "painter.first_steps=5",
    "painter.decline=0",
    "painter.learning_rate=0.1",
)
TOLD = {"seconds", "steps", "content_loss", "style_loss", "size", "peak_memory_bytes"}
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.fixture(autouse=True)
def _weights(monkeypatch, shared):
    monkeypatch.setenv("IMPASTO_WEIGHTS", str(shared / "weights"))
    monkeypatch.setattr(judging, "SIDE", 48)


def drawn(path, seed, size=(60, 80), kind=np.uint8, **told):
    coarse = np.random.default_rng(seed).integers(0, 255, (5, 6, 3)).astype(np.uint8)
    levels = np.asarray(Image.fromarray(coarse).resize(size[::-1]))
    whole = levels.astype(kind) * (257 if kind == np.uint16 else 1)
    write_original(Original(whole, **told), path)
    return path


@pytest.fixture
def files(tmp_path):
    return drawn(tmp_path / "photo.png", 0), drawn(tmp_path / "style.png", 1, (70, 50))


def toned(seed, level):
    """A texture around one level of grey."""
    drawn = np.random.default_rng(seed).normal(level, 12, (50, 50, 3))
    return drawn.clip(0, 255).astype(np.uint8)


def size_of(path):
    with Image.open(path) as picture:
        return picture.size


def painted(files, to, **told):
    settings = told.pop("settings", SMALL)
    return impasto.stylize(
        files[0], files[1:], to=to, size=48, settings=settings, device="cpu", **told
    )


def test_events_facts_and_a_file(files, tmp_path):
    painting = painted(files, tmp_path / "out.png")
    events = list(painting)
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Finished)
    assert sum(isinstance(event, Sampled) for event in events) > 1
    told = painting.facts()
    assert told["size"] == [48, 36]
    assert told["steps"] == 15
    assert told["network"] == "vgg16-hed"
    assert told["losses"][0]["step"] == 1
    assert told["style_loss"] < 1  # of the way from the content
    assert told["peak_memory_bytes"] > 0
    assert 0 < told["content_distance"] < 10
    assert size_of(tmp_path / "out.png") == (48, 36)


def test_the_same_files_and_settings_paint_the_same(files, tmp_path):
    for name in ("a.png", "b.png"):
        painted(files, tmp_path / name).finish()
    one, other = (read_original(tmp_path / name).levels for name in ("a.png", "b.png"))
    assert np.array_equal(one, other)


def test_depth_opacity_and_profile_are_kept(files, tmp_path):
    opacity = np.linspace(0, 65_535, 60 * 80).reshape(60, 80).astype(np.uint16)
    photo = drawn(tmp_path / "deep.png", 3, kind=np.uint16, opacity=opacity, profile=SRGB)
    painted((photo, files[1]), tmp_path / "out.png").finish()
    found = read_original(tmp_path / "out.png")
    assert found.levels.dtype == np.uint16
    assert len(np.unique(found.levels)) > 256  # and not 8 bits in disguise
    assert found.profile == SRGB
    assert found.opacity.shape == (36, 48)
    assert found.opacity[0, 0] < found.opacity[-1, -1]


def test_what_the_mask_leaves_out_is_the_picture(files, tmp_path):
    mask = np.zeros((60, 80), np.uint8)
    mask[:, 40:] = 255
    Image.fromarray(mask).save(tmp_path / "m.png")
    painted(files, tmp_path / "out.png", masks=[tmp_path / "m.png"]).finish()
    plain = stage(Order(files[0], (named(str(files[1])),)), size=48, scale=1.0, keep_color="no")
    shown = (plain.plain[0].permute(1, 2, 0).numpy() + 1) * 127.5
    found = read_original(tmp_path / "out.png").levels.astype(float)
    assert np.abs(found - shown)[:, :22].max() <= 1
    assert np.abs(found - shown)[:, 26:].mean() > 3


def test_luminance_keeps_every_colour_where_it_was(files, tmp_path):
    painted(files, tmp_path / "out.png", keep_color="luminance").finish()
    found = read_original(tmp_path / "out.png").levels.astype(float)
    plain = stage(Order(files[0], (named(str(files[1])),)), size=48, scale=1.0, keep_color="no")
    shown = (plain.plain[0].permute(1, 2, 0).numpy() + 1) * 127.5
    hue, own = (each - each.mean(2, keepdims=True) for each in (found, shown))
    along = (hue * own).sum() / np.sqrt((hue**2).sum() * (own**2).sum())
    assert along > 0.97


def test_each_mask_has_its_own_style(files, tmp_path):
    for name, half in (("left", slice(0, 40)), ("right", slice(40, 80))):
        mask = np.zeros((60, 80), np.uint8)
        mask[:, half] = 255
        Image.fromarray(mask).save(tmp_path / f"{name}.png")
    dark, light = tmp_path / "dark.png", tmp_path / "light.png"
    Image.fromarray(toned(5, 30)).save(dark)
    Image.fromarray(toned(5, 225)).save(light)
    impasto.stylize(
        files[0],
        [dark, light],
        to=tmp_path / "out.png",
        size=48,
        masks=[tmp_path / "left.png", tmp_path / "right.png"],
        settings=(*SMALL, "painter.steps=120", "painter.strength=1"),
    ).finish()
    found = read_original(tmp_path / "out.png").levels
    assert found[:, :20].mean() + 40 < found[:, 28:].mean()


def test_regions_are_painted_like_their_own(files, tmp_path):
    own = np.zeros((60, 80, 3), np.uint8)
    own[:, 40:] = (255, 0, 0)
    Image.fromarray(own).save(tmp_path / "own.png")
    halves = np.concatenate([toned(5, 30)[:25], toned(5, 225)[25:]])
    Image.fromarray(halves).save(tmp_path / "halves.png")
    theirs = np.zeros((50, 50, 3), np.uint8)
    theirs[25:] = (255, 0, 0)
    Image.fromarray(theirs).save(tmp_path / "theirs.png")
    impasto.stylize(
        files[0],
        [tmp_path / "halves.png"],
        to=tmp_path / "out.png",
        size=48,
        regions=[tmp_path / "own.png", tmp_path / "theirs.png"],
        settings=(*SMALL, "painter.steps=120", "painter.strength=1"),
    ).finish()
    found = read_original(tmp_path / "out.png").levels
    assert found[:, :20].mean() + 40 < found[:, 28:].mean()


def test_leaving_early_writes_what_there_is_and_resuming_ends_the_same(files, tmp_path):
    painted(files, tmp_path / "whole.png").finish()
    with painted(files, tmp_path / "out.png", run=tmp_path / "run") as painting:
        for event in painting:
            if isinstance(event, Tick):
                break
    assert size_of(tmp_path / "out.png") == (48, 36)
    resumed = impasto.resume_painting(tmp_path / "run")
    started = next(resumed)
    assert started.images_seen == 1
    resumed.finish()
    one, other = (read_original(tmp_path / name).levels for name in ("whole.png", "out.png"))
    assert np.array_equal(one, other)
    events = list(Run.open(tmp_path / "run").events())
    assert isinstance(events[-1], Finished)


def test_a_run_can_be_watched(files, tmp_path):
    page = tmp_path / "run" / "live.html"
    with painted(files, tmp_path / "o.png", run=tmp_path / "run") as painting:
        for event in painting:
            if isinstance(event, Tick):
                assert "refresh" in page.read_text()
                break
    assert "refresh" not in page.read_text()  # nobody is at it now


def test_a_run_keeps_a_film_and_is_no_training(files, tmp_path):
    painted(files, tmp_path / "o.png", run=tmp_path / "run", film=tmp_path / "f.webp").finish()
    with Image.open(tmp_path / "f.webp") as film:
        assert film.n_frames > 2
    with pytest.raises(RunError, match="the run of a painting, not of a training"):
        impasto.report(tmp_path / "run")
    with pytest.raises(RunError, match="exists already"):
        painted(files, tmp_path / "o.png", run=tmp_path / "run", film=tmp_path / "f.webp")


def test_other_pictures_are_not_gone_on_with(files, tmp_path):
    painted(files, tmp_path / "o.png", run=tmp_path / "run").finish()
    drawn(files[1], 9)
    with pytest.raises(RunError, match="not those that this painting was begun with"):
        impasto.resume_painting(tmp_path / "run")


def test_tiles_come_out_as_the_whole(files, tmp_path, monkeypatch):
    # Adam moves a pixel by as much for a slope of rounding; what is exact is the slope.
    settings = (*SMALL, "painter.optimizer=lbfgs", "painter.statistics=gram")
    painted(files, tmp_path / "whole.png", settings=settings).finish()
    plan = Plan(Tiling(16, 64), 10, 0)
    monkeypatch.setattr(stylizing, "plan_memory", lambda *_, **__: plan)
    told = painted(files, tmp_path / "tiles.png", settings=settings).finish()
    assert told["tile"] == 16
    assert told["seams"] == pytest.approx(1, abs=0.5)
    one, other = (
        read_original(tmp_path / name).levels.astype(int) for name in ("whole.png", "tiles.png")
    )
    assert np.abs(one - other).mean() < 1


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        ({"to": "out.gif"}, ConfigError, "pictures are written as"),
        ({"masks": ["photo.png", "style.png"]}, ConfigError, "2 masks for 1 styles"),
        ({"masks": ["style.png"]}, SourceError, "a mask has the shape of its picture"),
        ({"regions": ["photo.png"]}, ConfigError, "give the content's and then one for each"),
        (
            {"recipe": "gatys", "masks": ["m"], "settings": ()},
            ConfigError,
            "for one style, without masks",
        ),
        ({"recipe": "kittens"}, ConfigError, "a recipe of training"),
        ({"recipe": "gatyss"}, ConfigError, "did you mean gatys"),
        ({"memory": 1e6}, ConfigError, "GB at least, and there are 0.0"),
        ({"settings": ("painter.strength=2",)}, ConfigError, "painter.strength"),
        ({"steps": 0}, ConfigError, "--steps 0"),
        ({"film": "f.webp"}, ConfigError, "--film: is made of what a run keeps"),
    ],
)
def test_what_cannot_be_painted_is_told(files, tmp_path, monkeypatch, change, kind, message):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(kind, match=message):
        painted(files, **({"to": "out.png"} | change))
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("size", [(1, 1), (8, 400)])
def test_a_picture_too_small_is_told(files, tmp_path, size):
    Image.new("RGB", size).save(tmp_path / "tiny.png")
    with pytest.raises(SourceError, match=rf"tiny\.png: is {size[0]} x {size[1]}"):
        painted((tmp_path / "tiny.png", files[1]), tmp_path / "out.png")


def test_missing_weights_say_where_from(files, tmp_path, monkeypatch):
    monkeypatch.setenv("IMPASTO_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(impasto.BadInput, match=r"vgg19-dcbb9e9d\.pth.*impasto weights vgg-19"):
        painted(files, tmp_path / "out.png")


def test_weights_of_styles_are_read_as_typed(tmp_path):
    odd = tmp_path / "a:2"
    odd.touch()
    assert named(str(odd)).weight == 1
    assert named("b.jpg:2.5").weight == 2.5
    assert named("c:/d.jpg").weight == 1
    with pytest.raises(ConfigError, match="above zero"):
        named("b.jpg:-1")


def test_the_command_ends_with_one_object(files, tmp_path, capsys):
    words = ["stylize", *map(str, files), "--to", f"{tmp_path}/o.png", "--size", "48", "--json"]
    main([*words, "--recipe", "gatys", "--steps", "20"])
    (line,) = capsys.readouterr().out.splitlines()
    told = json.loads(line)
    assert told.keys() >= TOLD
    assert [each["step"] for each in told["losses"]] == [1, 10, 20]


def test_a_folder_is_painted_pair_by_pair(files, tmp_path, capsys):
    pictures, styles = tmp_path / "pictures", tmp_path / "styles"
    for folder in (pictures, styles):
        folder.mkdir()
    for seed in (1, 2):
        drawn(pictures / f"p{seed}.png", seed)
        drawn(styles / f"s{seed}.png", seed + 5)
    (pictures / "broken.jpg").write_text("no")
    words = ["stylize", str(pictures), str(styles), "--to", f"{tmp_path}/out", "--size", "32"]
    with pytest.raises(SystemExit) as left:
        main([*words, "--steps", "1", "--json"])
    assert left.value.code == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["pairs"], told["painted"], len(told["failed"])) == (6, 4, 2)
    assert told.keys() >= TOLD
    assert told["steps"] == 4
    assert "broken.jpg: not a picture" in told["failed"]["broken--s1.png"]
    with pytest.raises(SystemExit):
        main([*words, "--steps", "1"])
    assert "0 of 6 painted" in capsys.readouterr().out


def test_sheets_over_words_and_sizes(files, tmp_path, capsys):
    words = ["stylize", *map(str, files), "--to", f"{tmp_path}/sheet.png", "--steps", "1"]
    for compared, values in (
        ("keep_color=no,luminance", ["no", "luminance"]),
        ("size=32,48", [32, 48]),
    ):
        main([*words, "--size", "40", "--compare", compared, "--json"])
        rows = json.loads(capsys.readouterr().out)["paintings"]
        assert [row["value"] for row in rows] == values
    assert [max(row["size"]) for row in rows] == values


def test_files_of_one_stem_are_painted_apart(tmp_path):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for name in ("a.png", "a.jpg", "b.png"):
        drawn(pictures / name, 1)
    made: list[Path] = []

    def paint(content, styles, to, settings):
        to.touch()
        made.append(to)
        return {"reason": "budget" if len(made) != 3 else "interrupted"}

    other = str(tmp_path / "d2" / "wave.jpg")
    for there, painted, interrupted in ((0, 2, True), (2, 4, False), (6, 0, False)):
        found = stylize_many(pictures, ["wave.jpg", other], tmp_path / "out", paint)
        assert (found.there, len(found.painted), found.interrupted) == (there, painted, interrupted)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        f"{name}--{wave}.png"
        for name in ("a.jpg", "a.png", "b")
        for wave in ("d2-wave.jpg", f"{Path.cwd().name}-wave.jpg")
    ]
    with pytest.raises(ConfigError, match="weights mix manners"):
        many(pictures, ["wave.jpg:2"])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--size", "100000"], "paint it smaller"),
        (["--size", "0"], "--size 0: at least 16"),
        (["--style", "dots"], "say --fast DIR too"),
        (["--unsteady"], "is for videos"),
    ],
)
def test_options_that_make_no_painting_are_told(files, tmp_path, capsys, options, told):
    words = ["stylize", *map(str, files), "--to", f"{tmp_path}/o.png"]
    with pytest.raises(SystemExit) as left:
        main([*words, *options])
    assert left.value.code == 2
    assert told in capsys.readouterr().err


def test_pictures_that_show_nothing_or_too_little_are_told(files, tmp_path):
    Image.new("RGBA", (64, 64)).save(tmp_path / "clear.png")
    Image.new("RGB", (400, 20)).save(tmp_path / "long.png")
    photo, style = files
    for content, manner, told in (
        (photo, tmp_path / "clear.png", "transparent everywhere; give a painting"),
        (tmp_path / "clear.png", style, "transparent everywhere; give a picture"),
        (tmp_path / "long.png", style, "say --size 320 or more"),
    ):
        with pytest.raises(SourceError, match=told):
            impasto.stylize(content, [manner], to=tmp_path / "o.png", size=64, steps=1)


def test_flat_colours_have_distances(files, tmp_path):
    for name, color in (("black.png", "black"), ("flat.png", "#804020")):
        Image.new("RGB", (64, 48), color).save(tmp_path / name)
    facts = impasto.stylize(
        tmp_path / "black.png",
        [tmp_path / "flat.png"],
        to=tmp_path / "o.png",
        size=48,
        steps=2,
        keep_color="moments",
    ).finish()
    assert np.isfinite(facts["style_distance"])


def test_a_painting_says_how_far_it_is(files, tmp_path, capsys):
    words = ["stylize", *map(str, files), "--to", f"{tmp_path}/new/o.png", "--size", "32"]
    main([*words, "--recipe", "gatys", "--steps", "2"])
    told = capsys.readouterr().out
    assert "layer 5: features 128x" in told
    assert "distances: content " in told
    assert (tmp_path / "new" / "o.png").exists()


def test_what_a_run_told_before_is_told_again(files, tmp_path):
    run = tmp_path / "run"
    painting = impasto.stylize(
        files[0], [files[1]], to=tmp_path / "o.png", size=32, steps=12, run=run, memory=3e9
    )
    first = painting.finish()
    again = resume_painting(run).finish()
    assert again["losses"] == first["losses"]
    assert again["content_loss"] == first["content_loss"] is not None
    assert Run.open(run).facts["memory"] == 3e9


def test_a_painting_is_resumed_with_what_a_painting_has(files, tmp_path, capsys):
    run = tmp_path / "run"
    words = ["stylize", *map(str, files), "--to", f"{tmp_path}/o.png", "--size", "32"]
    main([*words, "--steps", "4", "--run", str(run)])
    capsys.readouterr()
    for words, told in (
        (["--minutes", "2"], "--minutes: a painting's steps belong to its recipe"),
        (["--devices", "2", "--patience", "3"], "--devices, --patience: for trainings"),
        (["--memory", "lots"], "--memory lots: say how much"),
        (["--memory", "1MB"], "allow more with --memory"),
    ):
        with pytest.raises(SystemExit) as end:
            main(["resume", str(run), *words])
        assert end.value.code == 2
        assert told in capsys.readouterr().err
    main(["resume", str(run), "--memory", "3GB", "--json"])
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["steps"] == 4


def test_a_sheet_over_a_setting(files, tmp_path, capsys):
    words = ["stylize", *map(str, files), "--to", f"{tmp_path}/sheet.png", "--size", "32"]
    main([*words, "--steps", "2", "--compare", "strength=0.1,1", "--json"])
    told = json.loads(capsys.readouterr().out)
    weak, strong = told["paintings"]
    assert told.keys() >= TOLD
    assert (weak["strength"], strong["value"]) == (0.1, 1)
    assert weak["content_distance"] < strong["content_distance"]
    assert size_of(tmp_path / "sheet.png")[0] > 2 * 32
    assert sorted(p.name for p in tmp_path.glob("*.png")) == ["photo.png", "sheet.png", "style.png"]
    with pytest.raises(SystemExit):
        main([*words, "--compare", "strength"])
    assert "say a setting and up to" in capsys.readouterr().err
