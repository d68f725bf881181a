"""Videos: frames in and out, sound kept, and less flicker than frame by frame."""

import json
from fractions import Fraction

import av
import numpy as np
import pytest
import torch
from PIL import Image

from impasto.cli.main import main
from impasto.errors import ConfigError, SourceError
from impasto.style.flow import Motion
from impasto.style.loss_network import LossNetwork
from impasto.style.painter import layers
from impasto.style.scene import Style, resized
from impasto.workflows import filming
from impasto.workflows.filming import repaint_video, stylize_video
from impasto.workflows.staging import opened
from impasto.workflows.stylizing import configured, seeing
from impasto.workflows.teaching import train_style

FRAMES, RATE = 5, 10
TINY = ("painter.least_size=48", "painter.first_steps=6", "painter.decline=0")


@pytest.fixture(autouse=True)
def _weights(monkeypatch, shared):
    monkeypatch.setenv("IMPASTO_WEIGHTS", str(shared / "weights"))


@pytest.fixture
def style(tmp_path):
    coarse = np.random.default_rng(3).integers(0, 255, (9, 9, 3)).astype(np.uint8)
    Image.fromarray(coarse).resize((72, 64)).save(tmp_path / "style.png")
    return tmp_path / "style.png"


def film(path, *, sound="aac", times=range(FRAMES)):
    """A textured scene that moves two pixels a frame to the left, with a tone; frames at these tenths of a second."""
    coarse = np.random.default_rng(0).integers(0, 255, (10, 14, 3)).astype(np.uint8)
    scene = np.asarray(Image.fromarray(coarse).resize((120, 72), Image.Resampling.BICUBIC))
    with av.open(str(path), "w") as out:
        seen = out.add_stream("libx264", rate=RATE)
        seen.width, seen.height, seen.pix_fmt = 96, 72, "yuv420p"
        heard = out.add_stream(sound, rate=8_000, layout="mono") if sound else None
        for index, time in enumerate(times):
            levels = np.ascontiguousarray(scene[:, 2 * index : 2 * index + 96])
            frame = av.VideoFrame.from_ndarray(levels, format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, RATE)
            out.mux(seen.encode(frame))
        out.mux(seen.encode())
        if heard is not None:
            tone = np.sin(np.arange(8_000 * FRAMES // RATE) / 8).astype(np.float32)[None]
            frame = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
            frame.sample_rate, frame.time_base, frame.pts = 8_000, Fraction(1, 8_000), 0
            out.mux(heard.encode(frame))
            out.mux(heard.encode())
    return path


def painted(video, style, to, **told):
    return stylize_video(video, [style], to=to, size=64, settings=TINY, device="cpu", **told)


def test_frames_size_and_sound(tmp_path, style):
    video = film(tmp_path / "in.mp4")
    told = painted(video, style, tmp_path / "out.mp4")
    assert (told.frames, told.size, told.sound) == (FRAMES, (64, 48), True)
    assert told.steps > FRAMES
    assert told.to_plain()["content_loss"] > 0
    with av.open(str(tmp_path / "out.mp4")) as found, av.open(str(video)) as given:
        assert len(list(found.decode(video=0))) == FRAMES
        assert found.streams.video[0].average_rate == RATE
        sounds = [
            b"".join(bytes(packet) for packet in each.demux(audio=0))
            for each in (av.open(str(tmp_path / "out.mp4")), given)
        ]
    assert sounds[0] == sounds[1]
    assert not list(tmp_path.glob(".*"))


def test_paint_that_stays_flickers_less_than_frame_by_frame(tmp_path, style):
    video = film(tmp_path / "in.mp4", sound=None)
    steady = painted(video, style, tmp_path / "a.mp4")
    apart = painted(video, style, tmp_path / "b.mp4", steady=False)
    assert not steady.sound
    assert steady.flicker < 0.7 * apart.flicker
    assert 0 < steady.source_flicker == apart.source_flicker


def test_what_comes_into_view_is_painted_by_itself_and_dries(style, monkeypatch):
    """The right quarter of a still scene is new in the second frame."""
    known = torch.ones(48, 64)
    known[:, 48:] = 0
    still = np.zeros((48, 64, 2), np.float32)
    frame = resized(opened(style), 48, 64)

    def entered(fresh):
        monkeypatch.setattr(filming, "FRESH", fresh)
        config = configured("pyramid", size=64, steps=None, keep_color=None, settings=TINY)
        name = config.network
        network = LossNetwork.published(name, layers(config, name), **seeing(config))
        painter = filming._Frames(
            config, network, [Style(opened(style))], torch.device("cpu"), None, steady=True
        )
        last = painter.paint(frame, None, None)
        painted = painter.paint(frame, last, Motion(still, known))
        return painter, painted

    painter, painted = entered(filming.FRESH)
    assert painter.dry[:, 48:].unique().tolist() == pytest.approx([filming.DRIES])
    assert painter.dry[:, :48].min() == 1
    painter.paint(frame, painted, Motion(still, torch.ones(48, 64)))
    assert painter.dry[:, 50:].mean() == pytest.approx(1 - (1 - filming.DRIES) ** 2)
    changed, hardly = (
        float((one - frame).abs()[..., 48:].mean()) for one in (painted, entered(2.0)[1])
    )
    assert changed > 1.1 * hardly


def test_a_network_paints_videos_too(tmp_path, style, capsys):
    video = film(tmp_path / "in.mp4")
    train_style(
        [style],
        "kittens:8",
        to=tmp_path / "net",
        images=8,
        settings=("size=64", "width=4", "batch=2"),
    ).finish()
    steady = repaint_video(video, tmp_path / "net", to=tmp_path / "a.mp4", size=64)
    apart = repaint_video(video, tmp_path / "net", to=tmp_path / "b.mp4", size=64, steady=False)
    assert steady.flicker < apart.flicker
    words = ["stylize", str(video), "--fast", f"{tmp_path}/net", "--to", f"{tmp_path}/c.mp4"]
    main([*words, "--size", "64", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert told["frames"] == FRAMES
    assert (told["steps"], told["content_loss"]) == (0, None)
    assert told["flicker"] == pytest.approx(steady.flicker, rel=1e-3)


@pytest.mark.parametrize("sound", ["pcm_s16le", "flac"])
def test_sound_that_an_mp4_cannot_hold_is_heard_all_the_same(tmp_path, style, sound):
    assert painted(film(tmp_path / "in.mkv", sound=sound), style, tmp_path / "out.mp4").sound
    with av.open(str(tmp_path / "out.mp4")) as found:
        assert found.streams.audio[0].codec_context.name == ("flac" if sound == "flac" else "aac")
        heard = np.concatenate([f.to_ndarray().ravel() for f in found.decode(audio=0)])
        assert len(heard) >= 0.9 * 8_000 * FRAMES / RATE
        assert np.abs(heard.astype(float)).mean() > 0.1 * np.abs(heard.astype(float)).max()


def test_frames_stay_as_long_as_they_did(tmp_path, style):
    times = [0, 1, 9, 10, 12]
    painted(film(tmp_path / "in.mp4", sound=None, times=times), style, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as found:
        told = [float(frame.time) for frame in found.decode(video=0)]
    assert told == pytest.approx([time / RATE for time in times], abs=1e-3)


def test_what_is_no_video_is_told(tmp_path, style):
    (tmp_path / "no.mp4").write_bytes(b"no video")
    with pytest.raises(SourceError, match=r"no\.mp4: cannot be painted"):
        painted(tmp_path / "no.mp4", style, tmp_path / "out.mp4")
    video = film(tmp_path / "in.mp4")
    with pytest.raises(ConfigError, match=r"written as \.mp4"):
        painted(video, style, tmp_path / "out.mov")
    with pytest.raises(ConfigError, match="paints single pictures"):
        stylize_video(video, [style], to=tmp_path / "out.mp4", recipe="gatys")
    assert not (tmp_path / "out.mp4").exists()
    assert not list(tmp_path.glob(".*"))
