"""What a person sees: the graph in Dagster's pages, and the documentation site, in a real browser."""

import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from selenium.webdriver.common.by import By

from tests.support.browser import chromium
from tests.support.checkout import Checkout, fresh_checkout
from tests.support.ports import free_port

WAIT_SECONDS = 180


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Checkout:
    checkout = fresh_checkout(tmp_path_factory.mktemp("checkout"))
    result = checkout.make("setup")
    assert result.returncode == 0, result.stdout
    return checkout


def wait_for(what: str, condition: Callable):
    """The first true value of the condition; what it raises meanwhile counts as not yet."""
    deadline = time.monotonic() + WAIT_SECONDS
    error = None
    while time.monotonic() < deadline:
        try:
            if value := condition():
                return value
        except Exception as raised:
            error = raised
        time.sleep(0.5)
    raise AssertionError(f"waited {WAIT_SECONDS} s for {what}; last error: {error!r}")


@contextmanager
def dagster_dev(checkout: Checkout) -> Iterator[str]:
    """`dagster dev` as a newcomer starts it, with its address."""
    port = free_port()
    log = (checkout.path.parent / "dagster-dev.log").open("wb")
    process = subprocess.Popen(
        ["dagster", "dev", "--port", str(port)],
        cwd=checkout.path,
        env=checkout.environment,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for("dagster dev", lambda: query(address, "{version}"))
        yield address
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        log.close()


def query(address: str, graphql: str) -> dict:
    request = urllib.request.Request(
        f"{address}/graphql",
        data=json.dumps({"query": graphql}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["data"]


def test_materialize_all_in_the_browser_ends_green(checkout, tmp_path):
    with chromium(tmp_path) as browser, dagster_dev(checkout) as address:
        browser.get(f"{address}/asset-groups")
        wait_for("the lineage", lambda: "marts" in browser.find_element(By.TAG_NAME, "body").text)
        button = wait_for(
            "the button",
            lambda: browser.find_element(By.XPATH, "//button[contains(., 'Materialize all')]"),
        )
        wait_for("the button to take a click", lambda: button.is_enabled() and (button.click() or True))
        runs = "{runsOrError {... on Runs {results {status}}}}"
        status = wait_for(
            "the run to end",
            lambda: next(
                run["status"]
                for run in query(address, runs)["runsOrError"]["results"]
                if run["status"] in ("SUCCESS", "FAILURE", "CANCELED")
            ),
        )
        assert status == "SUCCESS"
        browser.get(f"{address}/assets/marts/dim_songs")
        shown = ("Latest materialization", "Latest check results", "One row per", "tempo_bpm")
        wait_for(
            "the asset's page",
            lambda: all(part in browser.find_element(By.TAG_NAME, "body").text for part in shown),
        )


def test_a_marts_page_in_the_docs_shows_columns_tests_and_lineage(checkout, tmp_path):
    result = checkout.make("docs")
    assert result.returncode == 0, result.stdout
    page = checkout.path / "docs/site/index.html"
    with chromium(tmp_path) as browser:
        browser.get(f"{page.as_uri()}#!/model/model.music_warehouse.dim_songs")
        text = wait_for(
            "the model's page",
            lambda: "tempo_bpm" in (found := browser.find_element(By.TAG_NAME, "body").text) and found,
        )
        for part in ("One row per", "DATA TESTS", "Referenced By", "Depends On", "Enforced"):
            assert part in text
        browser.find_element(By.CSS_SELECTOR, "[ng-click='onLauncherClick()']").click()
        wait_for("the lineage", lambda: browser.find_element(By.CSS_SELECTOR, "canvas").is_displayed())
        fetched = browser.execute_script(
            "return performance.getEntriesByType('resource').map(entry => entry.name)"
        )
        assert [address for address in fetched if not address.startswith("file:")] == []
