import contextlib
import functools
import http.server
import importlib.util
import shutil
import subprocess
import sys
import threading

import numpy as np
import pytest

import rcn_keras

FACE = [180, 65, 265, 172]
BACKGROUND = [10, 300, 110, 400]
# The names of Chromium by distribution; on these it is what Playwright drives.
BROWSERS = map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))
BROWSER = next(filter(None, BROWSERS), None)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", folder]
    run = subprocess.run(build, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return folder


def test_the_site_is_built_without_a_warning_and_is_whole(site):
    assert "Recombinator Networks" in (site / "index.html").read_text()
    reference = (site / "reference" / "index.html").read_text()
    assert all(f'id="rcn_keras.{name}"' in reference for name in rcn_keras.__all__)
    accuracy = (site / "guides" / "accuracy.html").read_text()
    assert "<td>AFLW</td>" in accuracy


def test_pages_load_nothing_from_another_server(site):
    for path in site.rglob("*.html"):
        text = path.read_text()
        for attribute in ('<script src="http', '<link rel="stylesheet" href="http'):
            assert attribute not in text, path


@pytest.fixture(scope="module")
def origin(site):
    """The address of a server of the site with the network in it."""
    subprocess.run([sys.executable, "docs/demo/vendor.py", site / "demo"], check=True)
    handler = functools.partial(
        http.server.SimpleHTTPRequestHandler, directory=str(site)
    )
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@contextlib.contextmanager
def blank_page():
    """An empty page of a browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=BROWSER, args=["--no-sandbox"]
        )
        yield browser.new_page()
        browser.close()


@contextlib.contextmanager
def demo(origin, box):
    """The page with what it found in a box of the shipped photograph."""
    requests = []
    with blank_page() as page:
        page.on("request", lambda request: requests.append(request.url))
        page.goto(f"{origin}demo.html?box={','.join(map(str, box))}")
        page.wait_for_selector("#demo-result td", timeout=120_000)
        yield page
    requests = [url for url in requests if url.startswith("http")]
    assert requests and all(url.startswith(origin) for url in requests)


def shown(page):
    """Keypoints `(5, 2)`, confidence `(5,)` and face score of the page's table."""
    cells = "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    _, *points, last = page.eval_on_selector_all("#demo-result tr", cells)
    points = np.array([row[1:] for row in points], "float64")
    assert last[0] == "face score"
    return points[:, :2], points[:, 2], float(last[-1])


needs_a_browser = pytest.mark.skipif(
    not (BROWSER and importlib.util.find_spec("playwright")),
    reason="needs Chromium and Playwright (the extra dev)",
)


@pytest.mark.slow
@needs_a_browser
@pytest.mark.parametrize("box, is_face", [(FACE, True), (BACKGROUND, False)])
def test_the_demo_answers_as_the_predictor_does(origin, box, is_face):
    with demo(origin, box) as page:
        keypoints, confidence, score = shown(page)
        status = page.inner_text("#demo-status")
    assert "ms for this face" in status
    assert ("no face" in status) != is_face and (score > 0.5) == is_face
    predictor = rcn_keras.Predictor("rcn6_mtfl")
    (face,) = predictor("examples/astronaut.jpg", boxes=[box])
    assert abs(score - face.face_score) <= 0.01
    if is_face:  # The maps of a background have no peak to agree on.
        assert np.abs(keypoints - face.keypoints).max() <= 0.1
        assert np.abs(confidence - face.confidence).max() <= 0.01


@pytest.mark.slow
@needs_a_browser
def test_a_click_on_a_face_finds_it_without_a_box(origin):
    with demo(origin, FACE) as page:
        boxed, _, _ = shown(page)
        x, y = boxed[2]  # the nose; the canvas may be shown smaller than the photograph
        canvas = page.locator("#demo-canvas")
        scale = canvas.bounding_box()["width"] / canvas.evaluate("it => it.width")
        page.eval_on_selector("#demo-result", "table => table.replaceChildren()")
        canvas.click(position={"x": x * scale, "y": y * scale})
        page.wait_for_selector("#demo-result td")
        clicked, _, score = shown(page)
    eyes = np.linalg.norm(boxed[0] - boxed[1])
    assert np.abs(clicked - boxed).max() < 0.1 * eyes
    assert score > 0.5


@pytest.mark.slow
@needs_a_browser
def test_a_drag_before_there_is_a_photograph_does_nothing(origin):
    errors = []
    with blank_page() as page:
        page.on("pageerror", lambda error: errors.append(error))
        page.goto(f"{origin}demo.html")
        page.wait_for_selector("#demo-status:has-text('Ready')", timeout=120_000)
        canvas = page.locator("#demo-canvas").bounding_box()
        page.mouse.move(canvas["x"] + 10, canvas["y"] + 10)
        page.mouse.down()
        page.mouse.move(canvas["x"] + 60, canvas["y"] + 60)
        page.mouse.up()
        assert "Ready" in page.inner_text("#demo-status")
    assert not errors
