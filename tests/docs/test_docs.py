"""What the pages say is true: commands parse, marked blocks run, links lead somewhere, tables agree.

A comment above a fenced block says what is done with it beyond that:

<!-- test: run -->                   its commands or its Python are run, with a tiny budget, together with
                                     all others of the page and in their order; the output must be alike
<!-- test: recipe -->                its YAML is a recipe whose networks can be built

In output, `...` stands for any lines, and numbers, times and budgets need not agree.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass, fields
from pathlib import Path

import pytest
import tyro
from PIL import Image

from impasto.cli.commands import COMMANDS, Train
from impasto.config import from_yaml, override
from impasto.errors import ConfigError
from impasto.recipes import RECIPES, listing, parameters
from impasto.runs.config import RunConfig

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "impasto"
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
BUDGETS = ("--minutes", "--images", "--epochs", "--steps")
TINY = ("train.grid=4", "train.snapshots=1", "train.ticks=2")


@dataclass(frozen=True)
class Block:
    """A fenced block and the mark above it."""

    page: Path
    line: int
    language: str
    body: str
    mark: str

    def __str__(self):
        return f"{name_of(self.page)}:{self.line}"

    @property
    def exchanges(self):
        """The commands in the block, each with the lines of output below it."""
        found = []
        for line in self.body.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            elif found:
                found[-1][1].append(line)
        return found


def name_of(page):
    return page.relative_to(ROOT).as_posix()


def blocks_of(page):
    pattern = r"(?:<!-- test: (?P<mark>[^>]*) -->\n)?```(?P<language>\w*)\n(?P<body>.*?)^```$"
    text = page.read_text(encoding="utf-8")
    for found in re.finditer(pattern, text, re.MULTILINE | re.DOTALL):
        line = text.count("\n", 0, found.start()) + 1
        yield Block(page, line, found["language"], found["body"], found["mark"] or "")


def prose_of(page):
    return re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)


def codes_of(page):
    return [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", prose_of(page))]


def words_of(line):
    """The words after `impasto` in a command line, and the file its output goes to; None otherwise."""
    words = shlex.split(line, comments=True)
    to = words[words.index(">") + 1] if ">" in words else None
    words = words[: words.index(">")] if ">" in words else words
    if words[:1] == ["torchrun"]:
        words = words[words.index("-m") + 1 :]
    return (words[1:], to) if words and words[0] == "impasto" else None


BLOCKS = [block for page in PAGES for block in blocks_of(page)]
EXCHANGES = [
    (block, line)
    for block in BLOCKS
    if block.language in {"console", "bash", "sh"}
    for line, _ in block.exchanges
]
OURS = [(block, line) for block, line in EXCHANGES if words_of(line)]
WALKED = [page for page in PAGES if any(b.page == page and b.mark == "run" for b in BLOCKS)]


def parse(words):
    return tyro.extras.subcommand_cli_from_dict(
        dict(COMMANDS),
        prog="impasto",
        args=words,
        config=(tyro.conf.FlagCreatePairsOff, tyro.conf.AvoidSubcommands),
    )


# What can be checked by reading ----------------------------------------------------------------


def test_pages_hold_what_these_tests_look_at():
    assert len(OURS) > 20
    assert len(WALKED) > 3
    assert any(block.mark == "recipe" for block in BLOCKS)


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_marks_are_known(block):
    assert block.mark in {"", "run", "recipe"}


def test_shell_blocks_show_a_prompt():
    """Commands are found by their prompt, so a block without one would go unchecked."""
    assert not [
        str(b) for b in BLOCKS if b.language in {"bash", "sh", "console"} and not b.exchanges
    ]


@pytest.mark.parametrize(("block", "line"), OURS, ids=lambda part: str(part)[:60])
def test_commands_parse(block, line):
    words, _ = words_of(line)
    command = parse(words)
    if isinstance(command, Train):
        settings = tuple(setting for group in command.set for setting in group)
        recipe = command.recipe
        if recipe is None or recipe.endswith(".yaml"):
            assert any(fits(candidate, settings) for candidate in RECIPES.values()), settings
        else:
            assert override(RECIPES[recipe], settings)


def fits(recipe, settings):
    try:
        override(recipe, settings)
    except ConfigError:
        return False
    return True


@pytest.mark.parametrize(("block", "line"), EXCHANGES, ids=lambda part: str(part)[:60])
def test_other_commands_are_there(block, line):
    verb, *words = shlex.split(line, comments=True)
    if verb == "make":
        targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert set(words) <= set(targets)
    elif verb == "python":
        assert (ROOT / words[0]).is_file()
    else:
        assert verb in {"impasto", "torchrun", "git", "pip", "source", "touch"}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_in_the_prose_are_there(page):
    for code in codes_of(page):
        if code.startswith("impasto "):
            _, verb, *words = code.split()
            assert verb in COMMANDS, code
            known = {field.name for field in fields(COMMANDS[verb])}
            assert {word[2:] for word in words if word.startswith("--")} <= known, code


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_settings_in_the_prose_are_there(page):
    for code in codes_of(page):
        found = re.fullmatch(r"(?:--set )?((?:data|family|train)\.[a-z_.]+)(=\S+|: \S+)?", code)
        if found:
            value = (found[2] or "").lstrip("=: ")
            recipes = RECIPES.values()
            assert any(has(recipe, found[1]) for recipe in recipes), code
            assert not value or any(fits(r, (f"{found[1]}={value}",)) for r in recipes), code


def has(recipe, path):
    here = recipe
    for name in path.split("."):
        if not hasattr(here, name):
            return False
        here = getattr(here, name)
    return True


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_source_files_in_the_prose_are_there(page):
    for code in codes_of(page):
        if re.fullmatch(r"[\w/*]+/[\w*]+\.(py|sh)", code) and "NAME" not in code:
            below = code.removeprefix("impasto/")
            assert list(ROOT.glob(code)) or list(SOURCE.glob(below)), code


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    links = re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", prose_of(page))
    relative = [link for link in links if not link.startswith(("http:", "https:", "mailto:"))]
    missing = [link for link in relative if not (page.parent / link.partition("#")[0]).exists()]
    assert not missing


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == "python"], ids=str)
def test_python_compiles(block):
    compile(block.body, str(block), "exec")


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.mark == "recipe"], ids=str)
def test_recipes_can_be_built(block):
    assert parameters(from_yaml(RunConfig, block.body, where=str(block)))


def test_the_table_of_recipes_is_what_the_command_lists():
    row = r"^\| `(\S+)` \| `(\S+)` \| (\d+)x\3x(\d) \| ([\d,]+(?: \+ [\d,]+)+) \|$"
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    told = [
        {
            "name": name,
            "family": family,
            "size": int(size),
            "channels": int(channels),
            "parameters": [int(count.replace(",", "")) for count in counts.split(" + ")],
        }
        for name, family, size, channels, counts in re.findall(row, readme, re.MULTILINE)
    ]
    listed = [facts | {"parameters": [*facts["parameters"].values()]} for facts in listing()]
    assert told == [{key: facts[key] for key in told[0]} for facts in listed]


def test_every_decision_has_a_number_of_its_own():
    names = [path.name for path in (ROOT / "docs" / "decisions").glob("*.md")]
    numbers = sorted(int(re.fullmatch(r"(\d{4})-[a-z0-9-]+\.md", name)[1]) for name in names)
    assert numbers == list(range(1, len(names) + 1))
    for path in (ROOT / "docs" / "decisions").glob("*.md"):
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {int(path.name[:4])}. ")
        assert re.findall("^## (.*)$", text, re.MULTILINE) == [
            "Context",
            "Decision",
            "Consequences",
        ]


# What has to be run ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What the commands of each page printed, by page; all pages are followed in one process."""
    home = tmp_path_factory.mktemp("pages")
    pages = {}
    for number, page in enumerate(WALKED):
        folder = home / str(number)
        write_pictures(folder / "my-pictures")
        pages[name_of(page)] = {
            "folder": str(folder),
            "steps": [step for step, _ in steps_of(page)],
        }
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "IMPASTO_CACHE": str(home / "cache"),
        "MPLCONFIGDIR": str(home / "matplotlib"),
    }
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("walkthrough.py"))],
        input=json.dumps(pages),
        capture_output=True,
        text=True,
        env=environment,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("page", WALKED, ids=name_of)
def test_pages_can_be_followed(page, told):
    for (step, expected), printed in zip(steps_of(page), told[name_of(page)], strict=True):
        assert printed["error"] is None, f"{step}\n{printed['error']}"
        assert alike(expected, printed["output"].splitlines()), f"{step}\n{printed['output']}"


def steps_of(page):
    """What is done on a page, made small, and the output that it shows."""
    for block in BLOCKS:
        if block.page != page or block.mark != "run":
            continue
        if block.language == "python":
            yield {"python": smaller_python(block.body)}, ["..."]
            continue
        for line, output in block.exchanges:
            words, to = words_of(line)
            yield {"words": smaller(words), "to": to}, output


def smaller(words):
    """The same command with a budget of two steps, on few pictures."""
    if words[0] not in {"train", "resume"}:
        return words
    kept, given = [], iter(words)
    for word in given:
        if word in BUDGETS:
            next(given)
        else:
            kept.append("kittens:100" if word.startswith("kittens") and kept == ["train"] else word)
    tail = ["--steps", "2"]
    return [*kept, *tail, "--set", *TINY] if words[0] == "train" else [*kept, *tail]


def smaller_python(source):
    settings = f"steps=2, settings={TINY!r}"
    return re.sub(r"\b(minutes|images|epochs|steps)=\d+", settings, source).replace(
        '"kittens"', '"kittens:100"'
    )


def alike(expected, told):
    """Whether the output is as shown; `...` stands for any lines, and numbers may differ."""
    lines = [normal(line) for line in expected]
    pattern = "".join("(?:.*\n)*" if line == "..." else re.escape(line) + "\n" for line in lines)
    return re.fullmatch(pattern, "".join(normal(line) + "\n" for line in told)) is not None


def normal(line):
    numbered = re.sub(r"\d[\d,.]*(e-?\d+)?", "N", " ".join(line.split()))
    timed = re.sub(r"N h N min|N min N s", "N s", numbered)
    return re.sub(r"N (minutes?|steps?|images?|epochs?) on\b", "N on", timed)


def write_pictures(folder):
    for name, count, side in (("cats", 40, 200), ("anime", 10, 64)):
        (folder / name).mkdir(parents=True)
        for index in range(count):
            image = Image.effect_noise((side, side), 20 + index).convert("RGB")
            image.save(folder / name / f"{index:03d}.jpg")
    whole = (folder / "cats" / "000.jpg").read_bytes()
    (folder / "cats" / "torn.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "letter.doc").write_text("Dear reader,")


@pytest.mark.parametrize(
    ("expected", "told", "same"),
    [
        (["done: 7,600 images in 2 min 00 s"], ["done: 32 images in 1 s"], True),
        (["a", "...", "c"], ["a", "b", "b", "c"], True),
        (["a", "c"], ["a", "b", "c"], False),
        (["a", "..."], ["b"], False),
        (["a"], ["a", "b"], False),
        (["done: 3"], ["gone: 3"], False),
    ],
)
def test_outputs_are_compared(expected, told, same):
    assert alike(expected, told) is same
