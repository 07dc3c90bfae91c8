"""A world, and a server that shows it to an app with extended access; made once for each file of tests."""

import pytest

from sandbox import generate_world
from sandbox.spotify_api import SpotifyApi as Server


@pytest.fixture(scope="module")
def world():
    return generate_world()


@pytest.fixture(scope="module")
def server(world):
    with Server(world, app="extended") as server:
        yield server
