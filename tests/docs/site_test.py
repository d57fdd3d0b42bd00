import functools
import http.server
import json
import shutil
import subprocess
import sys
import threading

import numpy as np
import pytest

import rcn_keras

BOX = [180, 65, 265, 172]


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


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="no browser")
def test_the_demo_finds_the_keypoints_of_the_predictor(site):
    from playwright.sync_api import sync_playwright

    subprocess.run([sys.executable, "docs/demo/vendor.py", site / "demo"], check=True)
    handler = functools.partial(
        http.server.SimpleHTTPRequestHandler, directory=str(site)
    )
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        origin = f"http://127.0.0.1:{server.server_port}/"
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            page = browser.new_page()
            requests = []
            page.on("request", lambda request: requests.append(request.url))
            page.goto(f"{origin}demo.html?box={','.join(map(str, BOX))}")
            page.wait_for_selector("#demo-result:not(:empty)", timeout=120_000)
            result = json.loads(page.inner_text("#demo-result"))
            status = page.inner_text("#demo-status")
            browser.close()
        server.shutdown()
    assert "ms for this face" in status
    requests = [url for url in requests if url.startswith("http")]
    assert all(url.startswith(origin) for url in requests)
    predictor = rcn_keras.Predictor.from_preset("rcn6_mtfl")
    (face,) = predictor("examples/astronaut.jpg", boxes=[BOX])
    points = [[point["x"], point["y"]] for point in result.values()]
    confidence = [point["confidence"] for point in result.values()]
    assert np.abs(np.array(points) - face.keypoints).max() <= 0.1
    assert np.abs(np.array(confidence) - face.confidence).max() <= 0.01
