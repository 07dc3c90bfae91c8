"""One world and one folder of it, made once for all tests of the sandbox."""

import pytest

from sandbox import generate_world, write_sandbox


@pytest.fixture(scope="session")
def world():
    return generate_world()


@pytest.fixture(scope="session")
def sandbox_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("sandbox") / "world"


@pytest.fixture(scope="session")
def paths(sandbox_folder):
    return write_sandbox(sandbox_folder)
