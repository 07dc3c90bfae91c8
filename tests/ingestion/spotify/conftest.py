"""One world for all tests here; a server and a machine anew for each."""

import pytest

from sandbox import generate_world
from sandbox.spotify_api import SpotifyApi as Server
from tests.support.spotify_machine import Machine


@pytest.fixture(scope="session")
def world():
    """The sandbox's world: nothing changes it."""
    return generate_world()


@pytest.fixture
def server(world):
    """The Web API as an app with extended access sees it."""
    with Server(world, app="extended") as server:
        yield server


@pytest.fixture
def machine(server, tmp_path):
    """A machine that extracts from `server` for the world's account."""
    return Machine(server, tmp_path)
