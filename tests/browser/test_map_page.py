"""The map of pictures as a person uses it, in a real browser."""

import re
import shutil

import numpy as np
import pytest

from impasto.views.map import PER_SPRITE, MapFacts, Shown, render_map, sprite

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
COUNT, SIDE = 3_000, 32


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Three clumps of pictures, each of one colour; names that are markup."""
    drawn = np.random.default_rng(0)
    labels = np.arange(COUNT) % 3
    places = np.eye(3, 2)[labels] * 10 + drawn.normal(size=(COUNT, 2))
    images = np.zeros((COUNT, SIDE, SIDE, 3), np.uint8)
    images[np.arange(COUNT), :, :, labels] = 220
    names = [f"<b>{place}</b>.png" for place in range(COUNT)]
    facts = MapFacts(
        source="</script><script>alert(1)</script>",
        credit="",
        seen_by="a test",
        projection="PCA",
        clustering="3 clusters",
        places=places,
        labels=labels.astype(np.int64),
        names=names,
        sprites=[sprite(images[at : at + PER_SPRITE], SIDE) for at in range(0, COUNT, PER_SPRITE)],
        side=SIDE,
        clusters=[
            Shown(f"Cluster {each + 1}", 1_000, images[each : each + 1], (names[each],))
            for each in range(3)
        ],
    )
    path = tmp_path_factory.mktemp("map") / "map.html"
    path.write_text(render_map(facts), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser, address):
    wrong = []
    context = browser.new_context(viewport={"width": 1200, "height": 900}, accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.on("console", lambda told: wrong.append(told.text) if told.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: wrong.append(dialog.message))
    page.goto(address)
    expect(page.locator("#counted")).to_have_text("nothing chosen")
    page.wait_for_function("sheets.every((sheet) => sheet.complete && sheet.naturalWidth > 0)")
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))")
    yield page
    context.close()
    assert not wrong


def test_pictures_are_drawn_where_they_lie_in_their_colours(page):
    colours = page.evaluate(
        """() => {
          const found = {};
          const ratio = window.devicePixelRatio || 1;
          for (let point = 0; point < 300; point += 1) {
            const [x, y] = [across(point), down(point)];
            const pixel = context.getImageData(x * ratio, y * ratio, 1, 1).data;
            const key = facts.cluster[point];
            found[key] = found[key] || [0, 0, 0];
            [0, 1, 2].forEach((channel) => (found[key][channel] += pixel[channel]));
          }
          return found;
        }"""
    )
    for label in range(3):
        assert int(np.argmax(colours[str(label)])) == label


def test_the_wheel_zooms_about_the_pointer_and_all_comes_back(page):
    edge = page.locator("canvas#map").bounding_box()
    point = page.evaluate("() => [across(7), down(7), view.scale]")
    page.mouse.move(edge["x"] + point[0], edge["y"] + point[1])
    page.mouse.wheel(0, -1200)
    page.wait_for_function(f"view.scale > {point[2]} * 3")
    now = page.evaluate("() => [across(7), down(7)]")
    assert now == pytest.approx(point[:2], abs=8)  # a wheel's place is told in whole pixels
    page.get_by_role("button", name="All").click()
    assert page.evaluate("() => view.scale") == pytest.approx(point[2])


def test_hovering_names_a_picture(page):
    edge = page.locator("canvas#map").bounding_box()
    page.evaluate("() => zoom(8, across(5), down(5))")
    x, y, name = page.evaluate(
        """() => {
          for (let point = 0; point < COUNT; point += 1) {
            const [x, y] = [across(point), down(point)];
            if (x > 50 && y > 50 && x < canvas.clientWidth - 50 && y < canvas.clientHeight - 50)
              if (nearest(x, y) === point) return [x, y, facts.names[point]];
          }
        }"""
    )
    page.mouse.move(edge["x"] + x, edge["y"] + y)
    expect(page.locator("#label")).to_contain_text(name)


def test_a_box_chooses_what_is_in_it_and_the_list_can_be_saved_and_cleared(page):
    edge = page.locator("canvas#map").bounding_box()
    page.locator("#choose").check()
    page.mouse.move(edge["x"] + 5, edge["y"] + 5)
    page.mouse.down()
    page.mouse.move(edge["x"] + edge["width"] - 5, edge["y"] + edge["height"] - 5, steps=4)
    page.mouse.up()
    expect(page.locator("#counted")).to_have_text("3,000 chosen")
    expect(page.locator("#list li").first).to_contain_text("<b>0</b>.png")
    assert page.locator("#list li").count() == 301
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save list").click()
    names = saved.value.path().read_text("utf-8").split()
    assert len(names) == 3_000
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#counted")).to_have_text("nothing chosen")


def test_a_cluster_is_shown_alone(page):
    button = page.get_by_role("button", name=re.compile("Cluster 2: 1,000"))
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    inside = "() => [...within(0, 0, canvas.clientWidth, canvas.clientHeight)].length"
    assert page.evaluate(inside) == 1_000
    button.click()
    assert page.evaluate(inside) == 3_000


def test_keys_move_and_zoom(page):
    page.locator("canvas#map").focus()
    before = page.evaluate("() => [view.x, view.scale]")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("+")
    after = page.evaluate("() => [view.x, view.scale]")
    assert after[0] > before[0]
    assert after[1] > before[1]
