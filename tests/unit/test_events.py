import json

import pytest

from impasto.events import Finished, Noticed, Sampled, Saved, Started, Tick, from_json, to_json

EVENTS = [
    Started(0, "runs/a", "kittens", 4500, 500, "10 minutes", "CPU", 1, "32-bit", {"generator": 5}),
    Tick(64, 0.1, 1.5, 42.0, 13.5, {"generator_loss": 0.7}),
    Sampled(64, "samples/000000000064.png"),
    Saved(64, "state/000000000064.safetensors"),
    Noticed(64, "a file name with\nnew lines and ünïcode"),
    Finished(64, 1.5, "budget"),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_is_one_line_of_json_both_ways(event):
    line = to_json(event)
    assert "\n" not in line
    assert json.loads(line)["event"] == type(event).__name__.lower()
    assert from_json(line) == event


@pytest.mark.parametrize(
    "line", ['{"event": "nothing"}', "[]", '{"event": "saved", "images_seen": 1}', "no"]
)
def test_other_lines_are_refused(line):
    with pytest.raises(ValueError, match=r"not an event|Expecting"):
        from_json(line)
