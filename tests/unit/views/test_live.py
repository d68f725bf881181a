"""The page that shows a painting as it comes about."""

import io

from PIL import Image

from impasto.views.live import render_live


def png():
    raw = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(raw, "PNG")
    return raw.getvalue()


def test_it_reloads_until_all_is_done():
    page = render_live("night", png(), {"left": "2 minutes"}, ended=False)
    assert 'http-equiv="refresh"' in page
    assert "under way" in page
    assert "2 minutes" in page
    assert "data:image/png;base64," in page
    assert 'http-equiv="refresh"' not in render_live("night", png(), {}, ended=True)


def test_words_from_outside_are_only_words():
    page = render_live("<script>alert(1)</script>", None, {"<b>": "<i>"}, ended=False)
    assert "<script>" not in page
    assert "<b>" not in page
    assert "<i>" not in page
