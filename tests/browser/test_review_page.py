"""The page of a review as a person uses it, in a real browser."""

import re
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest
from sets import logged, numbered, write_set

from impasto.data.decisions import read_decisions

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")

SERVE = """
import sys
from impasto.studio.review.app import serve
from impasto.workflows.review import Review
with Review.open(sys.argv[1]) as review:
    serve(review, announce=lambda address: print(address, flush=True))
"""
# The number that the colour in the middle of each picture in sight tells, by place.
NUMBERS = """() => {
  const told = {};
  for (const row of document.querySelectorAll(".row:not([hidden])")) {
    const canvas = row.querySelector("canvas");
    const context = canvas.getContext("2d");
    for (const cell of row.querySelectorAll(".cell:not([hidden])")) {
      const x = (cell.offsetLeft + cell.offsetWidth / 2) * canvas.width / canvas.offsetWidth;
      const colour = context.getImageData(x, canvas.height / 2, 1, 1).data;
      told[cell.dataset.place] = [colour[0], colour[1]];
    }
  }
  return told;
}"""


@contextmanager
def served(home):
    """Serves the review of a set in a process of its own; yields it and the page's address."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, str(home)], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(20) in {0, -signal.SIGKILL}


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(browser):
    """Opens an address in a window of its own; at the end, nothing may have gone wrong in it."""
    contexts, wrong = [], []

    def opened(address, *, ready=True, **options):
        context = browser.new_context(**({"viewport": {"width": 1000, "height": 700}} | options))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda told: wrong.append(told.text) if told.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(address)
        if ready:
            expect(page.locator(".cell[data-state=kept]").first).to_be_visible()
        return page

    opened.wrong = wrong
    yield opened
    for context in contexts:
        context.close()
    # A page may outlive its server by a moment, and then it asks in vain.
    assert not [what for what in wrong if "ERR_CONNECTION_REFUSED" not in what]


@pytest.fixture
def home(tmp_path):
    measures = {"sharpness": np.arange(300, dtype=np.float32)[::-1].copy()}
    kinds = {2: "blurred", 3: "blurred", 5: "damaged"}
    return write_set(tmp_path / "set", numbered(300), kinds=kinds, measures=measures)


@pytest.fixture
def page(home, opened):
    with served(home) as (_, address):
        yield opened(address)


def cell(page, place):
    return page.locator(f"#place-{place}")


def says(page, place, state):
    expect(cell(page, place)).to_have_attribute("data-state", state)


def all_there(page):
    expect(page.locator(".row:not([hidden]) .cell.waiting:not([hidden])")).to_have_count(0)


def slots_shown(page, count):
    all_there(page)
    return [int(cell(page, place).get_attribute("data-slot")) for place in range(count)]


def counted(page, kept, rejected, by_hand):
    expect(page.locator("#counts")).to_have_text(f"{kept} kept{rejected} rejected{by_hand} by you")


# Deciding ---------------------------------------------------------------------------------------


def test_a_click_rejects_and_another_restores(page, home):
    counted(page, 297, 2, 0)
    cell(page, 7).click()
    says(page, 7, "rejected-by-hand")
    counted(page, 296, 3, 1)
    slot = int(cell(page, 7).get_attribute("data-slot"))
    assert slot == 10, "slots 2, 3 and 5 are not among the kept"
    assert logged(home) == [{"slots": [10], "keep": False}]
    cell(page, 7).click()
    says(page, 7, "kept")
    counted(page, 297, 2, 0)
    assert read_decisions(home, 300) == {}


def test_keys_decide_undo_and_redo(page, home):
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft"):
        page.keyboard.press(key)
    columns = int(page.locator("#grid").get_attribute("aria-colcount"))
    place = columns + 1
    expect(page.locator("#grid")).to_have_attribute("aria-activedescendant", f"place-{place}")
    page.keyboard.press("x")
    says(page, place, "rejected-by-hand")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("k")
    says(page, place + 1, "kept-by-hand")
    counted(page, 296, 3, 2)
    page.keyboard.press("u")
    says(page, place + 1, "kept")
    page.keyboard.press("u")
    says(page, place, "kept")
    counted(page, 297, 2, 0)
    page.keyboard.press("Shift+U")
    says(page, place, "rejected-by-hand")
    expect(page.locator("#redo")).to_be_enabled()
    page.locator("#redo").click()
    says(page, place + 1, "kept-by-hand")
    counted(page, 296, 3, 2)
    assert len(read_decisions(home, 300)) == 2


def test_dragging_and_shift_decide_on_a_stretch_in_one_step(page, home):
    box, to = cell(page, 1).bounding_box(), cell(page, 4).bounding_box()
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(to["x"] + 10, to["y"] + 10, steps=4)
    expect(page.locator(".cell.picked")).to_have_count(4)
    page.mouse.up()
    for place in range(1, 5):
        says(page, place, "rejected-by-hand")
    counted(page, 293, 6, 4)
    cell(page, 9).click(modifiers=["Shift"])
    counted(page, 288, 11, 9)
    assert len(logged(home)) == 2
    page.locator("#undo").click()
    counted(page, 293, 6, 4)
    says(page, 9, "kept")
    says(page, 4, "rejected-by-hand")


def test_the_grid_stays_until_it_is_arranged_anew(page):
    before = slots_shown(page, 10)
    cell(page, 3).click()
    says(page, 3, "rejected-by-hand")
    assert slots_shown(page, 10) == before
    page.keyboard.press("r")
    expect(cell(page, 3)).to_have_attribute("data-slot", str(before[4]))
    expect(page.locator("#renew")).to_be_hidden()


def test_filters_and_orders(page):
    page.select_option("#filter", "blurred")
    expect(cell(page, 1)).to_have_attribute("data-slot", "3")
    says(page, 0, "rejected")
    expect(cell(page, 0).locator(".mark")).to_have_text("✕ blurred")
    expect(cell(page, 2)).to_be_hidden()
    cell(page, 0).click()
    says(page, 0, "kept-by-hand")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#details")).to_contain_text("folder/000003.png")
    expect(page.locator("#details")).to_contain_text("rejected: blurred")
    expect(page.locator("#details")).to_contain_text("found in 3")
    page.select_option("#filter", "all")
    page.select_option("#sort", "sharpness-up")
    expect(cell(page, 0)).to_have_attribute("data-slot", "299")
    page.select_option("#filter", "new")
    page.reload()
    expect(page.locator("#sort")).to_have_value("sharpness-up")
    expect(page.locator("#filter")).to_have_value("new")


def test_decisions_outlive_the_page_and_the_server(home, opened):
    with served(home) as (_, address):
        page = opened(address)
        cell(page, 0).click()
        says(page, 0, "rejected-by-hand")
        assert "token" not in page.url
        page.reload()
        counted(page, 296, 3, 1)
    with served(home) as (_, address):
        page = opened(address)
        counted(page, 296, 3, 1)
        page.locator("#undo").click()
        counted(page, 297, 2, 0)


def test_what_was_not_saved_is_said_and_taken_back(home, opened):
    with served(home) as (process, address):
        page = opened(address)
        cell(page, 1).click()
        counted(page, 296, 3, 1)
        process.kill()
        process.wait()
        cell(page, 4).click()
        expect(page.get_by_role("alert")).to_contain_text(
            "Not saved: 1 picture. impasto does not answer"
        )
        says(page, 4, "kept")
        says(page, 1, "rejected-by-hand")
    assert read_decisions(home, 300) == {1: False}


def test_a_refusal_is_said_in_its_words(page, home, opened):
    (home / "review.jsonl").mkdir()  # nothing can be appended to it
    cell(page, 0).click()
    expect(page.get_by_role("alert")).to_contain_text("Not saved: 1 picture. cannot be written")
    says(page, 0, "kept")
    opened.wrong.clear()


def test_without_the_secret_there_is_no_page(page, opened):
    stranger = opened(page.url, ready=False)
    expect(stranger.locator("body")).to_contain_text("This page is private")
    stranger.wait_for_load_state("networkidle")  # the refusal of its icon comes late
    stranger.close()
    opened.wrong.clear()


# Around the grid --------------------------------------------------------------------------------


def test_help_and_the_list_of_what_cannot_be_shown(page):
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("x")  # means nothing here
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()
    counted(page, 297, 2, 0)
    page.locator("#invisible-open").click()
    expect(page.locator("#invisible-list li")).to_have_text(
        ["folder/000005.png damaged: found in 5"]
    )


def test_what_a_screen_reader_hears(page):
    grid = page.get_by_role("grid", name="Pictures")
    expect(grid).to_be_focused()
    assert (
        int(grid.get_attribute("aria-rowcount")) * int(grid.get_attribute("aria-colcount")) >= 297
    )
    page.keyboard.press("x")
    expect(
        page.get_by_role("gridcell", name="folder/000000.png, rejected by you", exact=True)
    ).to_have_attribute("aria-selected", "true")
    expect(page.locator(f"#{grid.get_attribute('aria-activedescendant')}")).to_have_count(1)
    rows = page.locator(".row:not([hidden])")
    assert rows.first.get_attribute("aria-rowindex")


def test_a_phone(home, opened):
    options = {"viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True}
    with served(home) as (_, address):
        page = opened(address, **options)
        cell(page, 2).tap()
        says(page, 2, "rejected-by-hand")
        counted(page, 296, 3, 1)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


# Learning ---------------------------------------------------------------------------------------


def test_the_rest_is_sorted_by_what_was_rejected(tmp_path, opened):
    pixels = np.random.default_rng(0).integers(0, 200, (700, 12, 12, 3), dtype=np.uint8)
    pixels[::20, :4, :4] = 250  # a flaw
    home = write_set(tmp_path / "set", pixels)
    with served(home) as (_, address):
        page = opened(address, viewport={"width": 1200, "height": 800})
        page.locator("#size").fill("5")
        expect(page.locator("#learning")).to_contain_text("(0 so far)")
        expect(page.locator("#learn")).to_be_hidden()
        for place in range(0, 420, 20):
            cell(page, place).click()
        page.locator("#learn").click()
        expect(page.locator("#learning")).to_contain_text("AUROC", timeout=30_000)
        expect(page.locator("#learning")).to_contain_text("thumbnails")
        expect(page.locator("#sort")).to_have_value("likeliest")
        expect(cell(page, 0)).not_to_have_attribute("data-slot", "1")
        assert sorted(slots_shown(page, 14)) == list(range(420, 700, 20))
        expect(page.locator("#details")).to_contain_text("like those you rejected")


# A hundred thousand -----------------------------------------------------------------------------

MANY = 100_000


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    with served(write_set(tmp_path_factory.mktemp("many") / "set", numbered(MANY))) as (_, address):
        yield address


def shows_the_right_pictures(page, place):
    """Once the picture at a place is there: each in sight tells its own number by its colour."""
    expect(cell(page, place)).to_have_attribute("data-slot", str(place))
    all_there(page)
    told = page.evaluate(NUMBERS)
    assert str(place) in told
    for shown, colour in told.items():
        assert colour == pytest.approx([int(shown) // 250 % 250, int(shown) % 250], abs=4), shown
    assert page.locator("*").count() < 1_500


def test_the_start_the_middle_and_the_end_of_many(many, opened):
    page = opened(many)
    shows_the_right_pictures(page, 0)
    page.keyboard.press("End")
    shows_the_right_pictures(page, MANY - 1)
    page.locator("#scroller").evaluate(
        "(scroller) => { scroller.scrollTop = scroller.scrollHeight / 2 }"
    )
    expect(cell(page, 50_000)).to_be_visible()
    shows_the_right_pictures(page, 50_000)
    page.keyboard.press("Home")
    page.keyboard.press("PageDown")
    expect(page.locator("#grid")).not_to_have_attribute(
        "aria-activedescendant", re.compile("-(0|99999)$")
    )
    place = int(page.locator(".row:not([hidden]) .cell.cursor").get_attribute("data-place"))
    assert place > 0
    shows_the_right_pictures(page, place)


def test_scrolling_through_many_keeps_the_document_small(many, opened):
    page = opened(many)
    shows_the_right_pictures(page, 0)
    most = page.locator("#scroller").evaluate(
        """async (scroller) => {
          let most = 0;
          for (let step = 0; step < 60; step += 1) {
            scroller.scrollTop += 3_000 * (1 + step % 5);
            await new Promise(requestAnimationFrame);
            most = Math.max(most, document.querySelectorAll("*").length);
          }
          return most;
        }"""
    )
    assert most < 1_500
    all_there(page)
    expect(page.locator(".row:not([hidden]) .cell.cursor")).to_have_count(0)
    page.mouse.click(500, 400)
    place = int(page.locator(".row:not([hidden]) .cell.cursor").get_attribute("data-place"))
    shows_the_right_pictures(page, place)
    says(page, place, "rejected-by-hand")
    page.keyboard.press("u")
    says(page, place, "kept")


def test_a_grid_taller_than_browsers_allow_reaches_both_ends(many, opened):
    page = opened(many, viewport={"width": 330, "height": 600})
    page.locator("#size").fill("100")
    page.locator("#grid").focus()
    expect(page.locator("#grid")).to_have_attribute("aria-colcount", "1")
    assert page.locator("#grid").evaluate("(grid) => grid.offsetHeight") == 12_000_000
    for key, place in (("End", MANY - 1), ("ArrowUp", MANY - 2), ("Home", 0), ("ArrowDown", 1)):
        page.keyboard.press(key)
        shows_the_right_pictures(page, place)
        expect(cell(page, place)).to_be_in_viewport(ratio=0.9)
