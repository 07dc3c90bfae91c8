"""Settings: the only reader of the environment.

What a variable means and what it defaults to stands here and nowhere else; every other
module is handed a `Settings`. Paths are made absolute, so that a later change of the
working folder changes nothing.
"""

import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ingestion.errors import ConfigError

SOURCE_VARIABLES = {"msd": "MSD_PATH", "playlist_files": "PLAYLIST_FILES_PATH"}
"""The variable that configures each source; with none of them set the sandbox serves all."""

IN_USE_LINK = "in_use"
"""In the data folder: a link to the folder of the warehouse worked on last."""

REAL_DATA_MARK = "holds_real_data"
"""In the data folder: an empty file, there once real data was extracted."""


@dataclass(frozen=True)
class Settings:
    """One configuration of the warehouse.

    `source_paths` holds the configured sources (name to path); in the sandbox it is empty
    and the sandbox's own folders take their place.
    """

    target: str
    data_dir: Path
    is_sandbox: bool
    source_paths: Mapping[str, Path]
    lake_url: str = field(repr=False)  # it can hold a key and a secret
    hmac_key: str | None = field(default=None, repr=False)

    @property
    def home(self) -> Path:
        """The folder of the warehouse in use: the data folder itself, or `sandbox/` in it."""
        return self.data_dir / "sandbox" if self.is_sandbox else self.data_dir

    @property
    def warehouse_path(self) -> Path:
        """The embedded DuckDB file."""
        return self.home / "warehouse.duckdb"

    @property
    def loader_dir(self) -> Path:
        """Where the loader keeps packages under way; it can be lost without harm."""
        return self.home / "loader"

    def activate(self) -> None:
        """Create the folder of this warehouse and point the link `in_use` at it, atomically.

        Bare `dbt` follows the link: it opens the warehouse that was worked on last.
        """
        self.home.mkdir(parents=True, exist_ok=True)
        link = self.data_dir / IN_USE_LINK
        target = Path("sandbox") if self.is_sandbox else Path()
        if link.is_symlink() and link.readlink() == target:
            return
        fresh = link.with_name(f".{link.name}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(target, target_is_directory=True)
        fresh.replace(link)

    def remember_real_data(self) -> None:
        """Note in the data folder that it holds real data: the sandbox then never comes back by itself."""
        if not self.is_sandbox:
            (self.data_dir / REAL_DATA_MARK).touch()

    def hash_user(self, user_id: str) -> str:
        """A user id as a keyed HMAC-SHA-256, 64 hex digits: the only form in which one is kept.

        Without WAREHOUSE_HMAC_KEY a key is made once and kept in the data folder.
        """
        return hmac.new(self._hmac_key().encode(), user_id.encode(), hashlib.sha256).hexdigest()

    def _hmac_key(self) -> str:
        if self.hmac_key:
            return self.hmac_key
        if self.is_sandbox:
            return "sandbox"
        path = self.data_dir / "hmac_key"
        if not path.exists():
            self.data_dir.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(f".hmac_key.{os.getpid()}")
            fresh.touch(mode=0o600)
            fresh.write_text(secrets.token_hex(32))
            try:
                path.hardlink_to(fresh)
            except FileExistsError:  # another process was first: its key counts
                pass
            finally:
                fresh.unlink()
        return path.read_text().strip()


def load_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings that the environment and the data folder's memory give.

    Raises ConfigError for a value that cannot be used. Reads nothing else and writes nothing.
    """
    values = {name: value.strip() for name, value in environment.items() if value.strip()}
    target = values.get("WAREHOUSE_TARGET", "duckdb")
    if target not in ("duckdb", "redshift"):
        raise ConfigError(f"WAREHOUSE_TARGET is {target!r}; it may be duckdb or redshift")
    data_dir = Path(values.get("WAREHOUSE_DATA_DIR", "data")).expanduser().absolute()
    source_paths = {
        source: Path(values[variable]).expanduser().absolute()
        for source, variable in SOURCE_VARIABLES.items()
        if variable in values
    }
    for source, path in source_paths.items():
        if not path.exists():
            raise ConfigError(f"{SOURCE_VARIABLES[source]} is {path}, which does not exist")
    is_sandbox = not source_paths and not (data_dir / REAL_DATA_MARK).exists()
    if is_sandbox:
        lake_url = str(data_dir / "sandbox" / "lake")
    else:
        lake_url = values.get("WAREHOUSE_LAKE_URL", str(data_dir / "lake"))
        if "://" not in lake_url:
            lake_url = str(Path(lake_url).expanduser().absolute())
    return Settings(
        target=target,
        data_dir=data_dir,
        is_sandbox=is_sandbox,
        source_paths=source_paths,
        lake_url=lake_url,
        hmac_key=values.get("WAREHOUSE_HMAC_KEY"),
    )
