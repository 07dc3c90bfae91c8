"""The image's own steps, without an engine to build it: what it copies is enough for its entrypoint."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.spotify_api import SpotifyApi
from tests.support.checkout import ROOT


@pytest.fixture(scope="module")
def steps() -> list[tuple[str, str]]:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    return [tuple(line.split(" ", 1)) for line in lines if line and not line.startswith("#")]


@pytest.fixture(scope="module")
def image(steps, tmp_path_factory) -> Path:
    """What the image has installed of this repository, by its own command, beside the lock's packages."""
    workdir, installed = tmp_path_factory.mktemp("workdir"), tmp_path_factory.mktemp("installed")
    for _, arguments in (step for step in steps if step[0] == "COPY"):
        *sources, target = arguments.split()
        for source in sources:
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, workdir / target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / source, workdir / target)
    (own,) = (arguments for word, arguments in steps if word == "RUN" and arguments.endswith(" ."))
    command = [sys.executable, *shlex.split(own)[1:], "--quiet", "--target", str(installed)]
    subprocess.run(command, cwd=workdir, check=True)
    return installed


def entrypoint(steps) -> list[str]:
    (arguments,) = (arguments for word, arguments in steps if word == "ENTRYPOINT")
    return [sys.executable, *json.loads(arguments)[1:]]


def test_the_entrypoint_extracts_the_playlists_whose_ids_it_is_given(steps, image, tmp_path):
    with SpotifyApi(app="extended") as server:
        playlist = next(one for one in server.world.playlists if server.day in one.versions)
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(image),
            "WAREHOUSE_DATA_DIR": str(tmp_path / "data"),
            "SPOTIFY_LEDGER_DIR": str(tmp_path / "data" / "spotify"),
            "SPOTIPY_CLIENT_ID": server.client_id,
            "SPOTIPY_CLIENT_SECRET": server.client_secret,
            "SPOTIFY_API_URL": server.url,
            "SPOTIFY_ACCOUNTS_URL": server.url,
        }
        command = [*entrypoint(steps), f"spotify:playlist:{playlist.playlist_id}"]
        run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "1 playlists looked at, 1 read, 0 failed" in run.stdout
    assert list((tmp_path / "data/lake/spotify/done").iterdir())


def test_nothing_that_it_copies_is_kept_from_the_build(steps):
    kept = {line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().split() if line[0] == "!"}
    copied = {name for word, arguments in steps if word == "COPY" for name in arguments.split()[:-1]}
    assert copied == kept
