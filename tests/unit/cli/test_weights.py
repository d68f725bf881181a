import hashlib
import http.server
import io
import json
import threading

import pytest
from rich.console import Console

from impasto.cli import render
from impasto.cli.main import main
from impasto.nn import pretrained
from impasto.nn.pretrained import PRETRAINED, Pretrained

RAW = bytes(range(256)) * 300
SHA256 = hashlib.sha256(RAW).hexdigest()


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path):
    known = Pretrained(
        "small", "small.pth", "http://127.0.0.1:9/no", SHA256, len(RAW), "MIT", purpose="a test"
    )
    monkeypatch.setitem(PRETRAINED, "small", known)
    monkeypatch.setenv("IMPASTO_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("IMPASTO_WEIGHTS", raising=False)
    monkeypatch.setenv("no_proxy", "*")
    return tmp_path / "cache" / "weights" / "small.pth"


class Publisher(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = RAW if self.path == "/right/small.pth" else RAW[::-1]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Publisher) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def rows(capsys):
    main(["weights", "--json"])
    return {row["name"]: row for row in json.loads(capsys.readouterr().out)}


def test_all_that_is_known_of_them_is_listed(capsys):
    found = rows(capsys)
    assert found.keys() == PRETRAINED.keys()
    assert found["small"] == {
        "name": "small",
        "purpose": "a test",
        "file": "small.pth",
        "bytes": len(RAW),
        "licence": "MIT",
        "sha256": SHA256,
        "url": "http://127.0.0.1:9/no/small.pth",
        "state": "missing",
        "path": None,
        "problem": None,
    }
    assert all(row["purpose"] for row in found.values())
    main(["weights"])
    out = capsys.readouterr().out
    for part in (*PRETRAINED, SHA256, "licence  MIT", "where    not on this machine", "96 MB"):
        assert part in out


def test_they_are_downloaded_checked_and_then_here(capsys, server, small):
    main(["weights", "small", "--from", f"{server}/right"])
    captured = capsys.readouterr()
    assert captured.out == f"small: {small}\n"
    assert captured.err == ""
    assert small.read_bytes() == RAW
    assert (rows(capsys)["small"]["state"], rows(capsys)["small"]["path"]) == ("here", str(small))
    main(["weights", "small", "--json"])
    assert json.loads(capsys.readouterr().out)["path"] == str(small), "once is enough"


def test_a_terminal_shows_how_far_it_is(capsys, server, monkeypatch):
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=100)
    monkeypatch.setattr(render, "ERRORS", console)
    monkeypatch.setattr(pretrained, "BLOCK", 9_000)
    main(["weights", "small", "--from", f"{server}/right"])
    assert "downloading small" in shown.getvalue()
    assert "76.8" in shown.getvalue()  # kB
    assert "small: " in capsys.readouterr().out


def test_a_damaged_file_is_listed_as_such(capsys, small):
    small.parent.mkdir(parents=True)
    small.write_bytes(RAW[1:])
    row = rows(capsys)["small"]
    assert (row["state"], row["path"]) == ("damaged", None)
    assert "delete it" in row["problem"]
    main(["weights"])
    assert "delete it" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["weights", "smal"], ["smal", "did you mean small?"]),
        (["weights", "small"], ["http://127.0.0.1:9/no/small.pth", "could not be downloaded"]),
        (["weights", "--from", "http://127.0.0.1:9"], ["--from", "impasto weights NAME"]),
        (["weights", "small", "--from", "mirror"], ["mirror", "https://"]),
        (["weights", "small", "--from", "SERVER/wrong"], ["sha256", SHA256]),
    ],
)
def test_bad_input_is_one_line_with_the_way_out(words, named, capsys, server, small):
    with pytest.raises(SystemExit) as exit_:
        main([word.replace("SERVER", server) for word in words])
    captured = capsys.readouterr()
    assert exit_.value.code == 2
    assert captured.out == ""
    assert captured.err.startswith("impasto: ")
    assert captured.err.count("\n") == 1
    for part in named:
        assert part in captured.err
    assert not small.exists()
