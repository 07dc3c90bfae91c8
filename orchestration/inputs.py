"""Where a run's input lies: the configured sources, or the sandbox when there are none."""

from pathlib import Path

from ingestion.config import Settings
from sandbox import write_sandbox


def input_path(settings: Settings, source_name: str) -> Path | None:
    """The path of a source's files; None for a source that is not configured while another is."""
    if not settings.is_sandbox:
        return settings.source_paths.get(source_name)
    return getattr(write_sandbox(settings.home / "world"), source_name)
