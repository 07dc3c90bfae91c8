"""A small deterministic music world, standing in for the outside one.

`write_sandbox` puts it on disk: Million Song Dataset files and their side files, playlist files, and
the ground truth to compare a warehouse with. `generate_world` gives the same world as objects. The same
seed gives the same bytes. Nothing here knows the warehouse or the orchestrator; they know nothing of how
it is made.
"""

from sandbox.folder import GENERATOR_VERSION, SandboxPaths, write_sandbox
from sandbox.ground_truth import write_ground_truth
from sandbox.msd_files import write_msd_files
from sandbox.playlist_files import write_playlist_files
from sandbox.reference_files import write_reference_files
from sandbox.world import DEFAULT_SEED, World, generate_world

__all__ = [
    "DEFAULT_SEED",
    "GENERATOR_VERSION",
    "SandboxPaths",
    "World",
    "generate_world",
    "write_ground_truth",
    "write_msd_files",
    "write_playlist_files",
    "write_reference_files",
    "write_sandbox",
]
