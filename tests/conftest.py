"""What holds for every test: no settings of the developer's own, and long fault tests only on demand."""

import os
from pathlib import Path

import pytest

from ingestion.config import SOURCE_VARIABLES


def pytest_configure() -> None:
    """Forget the settings that `make` or a shell may have exported: a test configures what it needs."""
    own = ("ALERT_", "WAREHOUSE_", "SPOTIFY_", "SPOTIPY_", "MSD_", *SOURCE_VARIABLES.values())
    for name in list(os.environ):
        if name.startswith(own):
            del os.environ[name]


@pytest.fixture(autouse=True)
def _no_requests_counted_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Requests of a test are counted in the test's own folder, not in that of whoever runs it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


LONGEST = (
    "redshift_standin/test_warehouse.py",
    "orchestration/test_browser.py",
    "orchestration/test_make.py",
    "test_readme.py",
)
"""Files that take minutes. They come first: a core that began one last would work on alone."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the longest files first, and leave out the tests marked `faults` unless `-m` asks for them."""
    items.sort(key=lambda item: not str(item.path).endswith(LONGEST))
    if "faults" in config.option.markexpr:
        return
    wanted = [item for item in items if item.get_closest_marker("faults") is None]
    config.hook.pytest_deselected(items=[item for item in items if item not in wanted])
    items[:] = wanted


@pytest.fixture(scope="session")
def genuine_samples() -> Path:
    """The folder of genuine input that GENUINE_SAMPLES names; skips the test where there is none."""
    folder = os.environ.get("GENUINE_SAMPLES")
    if not folder:
        pytest.skip("GENUINE_SAMPLES is not set: no genuine input to try")
    return Path(folder)
