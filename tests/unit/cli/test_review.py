import queue
import re
import signal
import socket
import subprocess
import sys
import webbrowser

import pytest
from sets import numbered, write_set

from impasto.cli.main import main
from impasto.studio import reviewing

IMPASTO = [sys.executable, "-m", "impasto", "review"]


@pytest.fixture
def home(tmp_path):
    home = write_set(tmp_path / "set", numbered(12), kinds={3: "dark"})
    (home / "review.jsonl").write_text('{"slots": [0, 1], "keep": false}\n')
    return home


def test_an_address_and_after_ctrl_c_a_summary(home):
    with subprocess.Popen(
        [*IMPASTO, home, "--no-browser"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as served:
        address = served.stdout.readline()
        assert re.fullmatch(r"review: http://127\.0\.0\.1:\d+/\?token=[\w-]{43}\n", address)
        served.send_signal(signal.SIGINT)
        told, complaints = served.communicate(timeout=60)
    assert served.returncode == 0, complaints
    assert told.split("\n")[-2] == "9 pictures kept, 3 rejected; 2 decided by hand"
    assert complaints == ""


@pytest.mark.parametrize(("words", "opened"), [([], True), (["--no-browser"], False)])
def test_the_browser_is_opened_unless_it_is_not_wanted(home, monkeypatch, capsys, words, opened):
    addresses = queue.Queue()
    monkeypatch.setattr(webbrowser, "open", addresses.put)
    monkeypatch.setattr(reviewing, "serve", lambda _, *, port, announce: announce(f"http://{port}"))
    main(["review", str(home), "--port", "4321", *words])
    if opened:
        assert addresses.get(timeout=20) == "http://4321"
    assert addresses.empty()
    assert capsys.readouterr().out.startswith("review: http://4321\n")


@pytest.mark.parametrize("words", [["--no-browser"], ["--port", "0"]])
def test_what_is_no_set_is_said_in_a_line(tmp_path, capsys, words):
    with pytest.raises(SystemExit) as ended:
        main(["review", str(tmp_path), *words])
    assert ended.value.code == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert re.fullmatch(r"impasto: .* is not a prepared set; make one with .*\n", told.err)


def test_a_port_that_cannot_be_had(home, capsys):
    def refused(port):
        with pytest.raises(SystemExit) as ended:
            main(["review", str(home), "--no-browser", "--port", str(port)])
        assert ended.value.code == 2
        return capsys.readouterr().err

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert refused(port) == (
            f"impasto: --port {port}: Address already in use; leave it away for any that is free\n"
        )
    assert "--port 65536: there is no such port" in refused(65536)
