"""Settings: the only reader of the environment.

What a variable means and what it defaults to stands here and nowhere else; every other
module is handed a `Settings`. Paths are made absolute, so that a later change of the
working folder changes nothing.
"""

import hashlib
import hmac
import os
import pwd
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from ingestion.errors import ConfigError

SOURCE_VARIABLES = {
    "msd": "MSD_PATH",
    "playlist_files": "PLAYLIST_FILES_PATH",
    "reference_files": "REFERENCE_FILES_PATH",
}
"""The variable that names each file source's path. With none of them set, and no Spotify app, the sandbox
serves all."""

OBJECT_SCHEME, LIST_MARK = "s3://", "@"
"""How MSD_PATH begins where it is no local path: files in a bucket, and a list of files."""

SPOTIFY_API_URL, SPOTIFY_ACCOUNTS_URL = "https://api.spotify.com", "https://accounts.spotify.com"

RETENTION_DAYS = {"playlist_files": None, "spotify": 30}
"""By source, days that rows are kept after they were last confirmed; None is for good. Spotify's terms allow
no lasting storage, and a month is what a monthly report needs; files are the user's own. Published datasets
are not here: nothing confirms them, and nothing in them ages."""

STATE_FOLDER = "music-warehouse"
"""In a person's folder for the state of programs (XDG_STATE_HOME, by default ~/.local/state)."""

MSD_MAX_BAD_SHARE = 0.01
"""A damaged file or two in ten thousand is what copying does; one in a hundred is a damaged copy."""

DEFAULT_MSD_SHARDS = 8

KEEP_VERSIONS = 7
"""Published versions, a week of mornings: what is found wrong on a Monday was right on some day before."""

UTC_ZONE = ZoneInfo("UTC")

START_AT, READY_BY = time(4), time(7)
"""When the day's run begins, and by when readers have what it made. In the small hours nobody is at work on
what is read, no clock is put forward or back, and three hours are left."""

MSD_SUBSET_URL = "http://labrosa.ee.columbia.edu/~dpwe/tmp/millionsongsubset.tar.gz"
"""Where the dataset's own page sends those who want the subset."""

IN_USE_LINK = "in_use"
"""In the data folder: a link to the folder of the warehouse worked on last."""

REAL_DATA_MARK = "holds_real_data"
"""In the data folder: an empty file, there once real data was extracted."""


@dataclass(frozen=True)
class SpotifySettings:
    """The registered app, what it reads, and how many requests this machine may send with it.

    `playlist_ids` is a file with one id a line; without it the playlists of the user who authorised
    the app are read. `daily_requests` are those in any 24 hours, `window_requests` those in any 30
    seconds; None is no limit of our own. They are counted in `ledger_dir`, None is in the data folder,
    together with those of every app of the same `account`, None is those of this app alone. A run of the
    graph searches for at most `search_songs` songs, None is for none.
    """

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str | None = None
    playlist_ids: Path | None = None
    api_url: str = SPOTIFY_API_URL
    accounts_url: str = SPOTIFY_ACCOUNTS_URL
    daily_requests: int | None = None
    window_requests: int | None = None
    ledger_dir: Path | None = None
    account: str | None = None
    search_songs: int | None = None


@dataclass(frozen=True)
class RedshiftSettings:
    """The Redshift to load: where it is, who loads, and what COPY reads.

    `staging_url` is a folder in S3 for what is on its way, None where neither a variable nor a lake in S3
    names one; COPY reads it as `iam_role`, None is with the credentials that AWS's own variables give.
    `mart_readers` may read what is published, each as GRANT names it.
    """

    host: str
    port: int
    database: str
    user: str
    password: str | None = field(repr=False)
    sslmode: str = "require"
    iam_role: str | None = None
    staging_url: str | None = None
    mart_readers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Timetable:
    """The operator's day: its run begins at `start_at`, local, and is published by `ready_by`."""

    time_zone: ZoneInfo = UTC_ZONE
    start_at: time = START_AT
    ready_by: time = READY_BY


@dataclass(frozen=True)
class Settings:
    """One configuration of the warehouse.

    `source_paths` says where the configured file sources lie (by name), `spotify` the app; in the sandbox
    there are none, and the sandbox's own folders and server take their place. Rows of a source are kept
    for its `retention_days` after they were last confirmed, None is for good. Where more than
    `msd_max_bad_share` of the song files are in quarantine the run fails. Of what was published the last
    `keep_versions` are kept. `time_zone`, `start_at` and `ready_by` are the timetable's.
    """

    target: str
    data_dir: Path
    is_sandbox: bool
    source_paths: Mapping[str, Path | str] = field(repr=False)  # a URL can hold a key and a secret
    lake_url: str = field(repr=False)  # it can hold a key and a secret
    hmac_key: str | None = field(default=None, repr=False)
    spotify: SpotifySettings | None = None
    redshift: RedshiftSettings | None = None
    retention_days: Mapping[str, int | None] = field(default_factory=RETENTION_DAYS.copy)
    msd_max_bad_share: float = MSD_MAX_BAD_SHARE
    msd_subset_url: str = MSD_SUBSET_URL
    keep_versions: int = KEEP_VERSIONS
    time_zone: ZoneInfo = UTC_ZONE
    start_at: time = START_AT
    ready_by: time = READY_BY

    @property
    def home(self) -> Path:
        """The folder of the warehouse in use: the data folder itself, or `sandbox/` in it."""
        return self.data_dir / "sandbox" if self.is_sandbox else self.data_dir

    @property
    def warehouse_path(self) -> Path:
        """The embedded DuckDB file."""
        return self.home / "warehouse.duckdb"

    @property
    def published_dir(self) -> Path:
        """What readers see: a folder per version, and a link to the current one."""
        return self.home / "published"

    @property
    def warehouse_name(self) -> str:
        """The warehouse that the target names, for people."""
        if self.target == "redshift" and self.redshift is not None:
            return f"redshift://{self.redshift.host}:{self.redshift.port}/{self.redshift.database}"
        return str(self.warehouse_path)

    @property
    def loader_dir(self) -> Path:
        """Where the loader keeps packages under way; it can be lost without harm."""
        return self.home / "loader"

    @property
    def spotify_dir(self) -> Path:
        """What this machine remembers of the Web API: tokens, requests sent, answers not in the lake yet."""
        return self.home / "spotify"

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
        if self.is_sandbox:
            return "sandbox"
        if self.hmac_key:
            return self.hmac_key
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
        source: location(source, values[variable], variable)
        for source, variable in SOURCE_VARIABLES.items()
        if variable in values
    }
    spotify = _spotify_settings(values)
    # Who names a lake means that one, and not the sandbox's: also to load, retain or purge without a source.
    is_configured = bool(source_paths) or spotify is not None or "WAREHOUSE_LAKE_URL" in values
    is_sandbox = not is_configured and not (data_dir / REAL_DATA_MARK).exists()
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
        spotify=spotify,
        redshift=_redshift_settings(values, lake_url),
        retention_days={source: _retention_days(values, source) for source in RETENTION_DAYS},
        msd_max_bad_share=_share(values, "MSD_MAX_BAD_SHARE", MSD_MAX_BAD_SHARE),
        msd_subset_url=values.get("MSD_SUBSET_URL", MSD_SUBSET_URL),
        keep_versions=_positive(values, "WAREHOUSE_KEEP_VERSIONS") or KEEP_VERSIONS,
        **asdict(timetable(environment)),
    )


def timetable(environment: Mapping[str, str] = os.environ) -> Timetable:
    """When the orchestrator runs, whatever else is set. Raises ConfigError."""
    values = {name: value.strip() for name, value in environment.items() if value.strip()}
    start_at = _time_of_day(values, "WAREHOUSE_START_AT", START_AT)
    ready_by = _time_of_day(values, "WAREHOUSE_READY_BY", READY_BY)
    if start_at == ready_by:
        raise ConfigError(f"WAREHOUSE_READY_BY is {ready_by:%H:%M}, which is when the run begins")
    return Timetable(_time_zone(values), start_at, ready_by)


def msd_shards(environment: Mapping[str, str] = os.environ) -> int:
    """Among how many runs the orchestrator can share the songs. Raises ConfigError."""
    values = {name: value.strip() for name, value in environment.items() if value.strip()}
    return _positive(values, "MSD_SHARDS") or DEFAULT_MSD_SHARDS


def location(source: str, text: str, called: str) -> Path | str:
    """A path made absolute; of songs also a URL as it is, or `@` and the absolute path of a list.

    Raises ConfigError, with what the path is `called`, where nothing is there.
    """
    mark = ""
    if source == "msd":
        if text.startswith(OBJECT_SCHEME) or text == f"{LIST_MARK}-":
            return text
        if text.startswith(LIST_MARK):
            mark, text = LIST_MARK, text.removeprefix(LIST_MARK)
    path = Path(text).expanduser().absolute()
    if not path.exists():
        raise ConfigError(f"{called} is {path}, which does not exist")
    return f"{mark}{path}" if mark else path


def _spotify_settings(values: Mapping[str, str]) -> SpotifySettings | None:
    """What the SPOTIPY_ and SPOTIFY_ variables say; None where no app is named."""
    client_id, client_secret = values.get("SPOTIPY_CLIENT_ID"), values.get("SPOTIPY_CLIENT_SECRET")
    ids = values.get("SPOTIFY_PLAYLIST_IDS")
    if not client_id and not client_secret:
        if ids:
            raise ConfigError(
                "SPOTIFY_PLAYLIST_IDS is set, and SPOTIPY_CLIENT_ID and SPOTIPY_CLIENT_SECRET are not"
            )
        return None
    if not client_id or not client_secret:
        raise ConfigError(
            "SPOTIPY_CLIENT_ID and SPOTIPY_CLIENT_SECRET go together, and one of them is not set"
        )
    playlist_ids = Path(ids).expanduser().absolute() if ids else None
    if playlist_ids and not playlist_ids.is_file():
        raise ConfigError(f"SPOTIFY_PLAYLIST_IDS is {playlist_ids}, which is no file")
    return SpotifySettings(
        client_id=client_id,
        client_secret=client_secret,
        redirect_uri=values.get("SPOTIPY_REDIRECT_URI"),
        playlist_ids=playlist_ids,
        api_url=values.get("SPOTIFY_API_URL", SPOTIFY_API_URL),
        accounts_url=values.get("SPOTIFY_ACCOUNTS_URL", SPOTIFY_ACCOUNTS_URL),
        daily_requests=_positive(values, "SPOTIFY_DAILY_REQUESTS"),
        window_requests=_positive(values, "SPOTIFY_WINDOW_REQUESTS"),
        ledger_dir=_ledger_dir(values),
        account=values.get("SPOTIFY_ACCOUNT"),
        search_songs=_positive(values, "SPOTIFY_SEARCH_SONGS"),
    )


def _home(values: Mapping[str, str]) -> str | None:
    """The person's home; a service may have none in its environment."""
    try:
        return values.get("HOME") or pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:  # a container's user that has no entry
        return None


def _ledger_dir(values: Mapping[str, str]) -> Path | None:
    """By default a folder of the person's own: Spotify counts what they send for all data folders."""
    if folder := values.get("SPOTIFY_LEDGER_DIR"):
        return Path(folder).expanduser().absolute()
    if folder := values.get("XDG_STATE_HOME"):
        return Path(folder) / STATE_FOLDER
    if home := _home(values):
        return Path(home) / ".local" / "state" / STATE_FOLDER
    return None


def _positive(values: Mapping[str, str], variable: str) -> int | None:
    text = values.get(variable)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise ConfigError(f"{variable} is {text!r}; it may be a whole number above 0")
    return int(text)


def _time_zone(values: Mapping[str, str]) -> ZoneInfo:
    name = values.get("WAREHOUSE_TIME_ZONE", "UTC")
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError):  # no name of a zone, or that of a folder of them
        raise ConfigError(
            f"WAREHOUSE_TIME_ZONE is {name!r}; it may be an IANA name, say Europe/Berlin"
        ) from None


def _time_of_day(values: Mapping[str, str], variable: str, default: time) -> time:
    text = values.get(variable)
    if text is None:
        return default
    try:
        return datetime.strptime(text, "%H:%M").time()
    except ValueError:
        raise ConfigError(f"{variable} is {text!r}; it may be a time of day, say 04:00") from None


def _share(values: Mapping[str, str], variable: str, default: float) -> float:
    try:
        share = float(values.get(variable, default))
    except ValueError:
        share = -1
    if not 0 <= share <= 1:
        raise ConfigError(f"{variable} is {values[variable]!r}; it may be a share from 0 to 1")
    return share


def _retention_days(values: Mapping[str, str], source: str) -> int | None:
    variable = retention_variable(source)
    if values.get(variable, "").lower() == "forever":
        return None
    days = _positive(values, variable)
    return RETENTION_DAYS[source] if days is None else days


def retention_variable(source: str) -> str:
    """The variable that says for how many days a source's rows are kept, or `forever`."""
    return f"{source.upper()}_RETENTION_DAYS"


def _redshift_settings(values: Mapping[str, str], lake_url: str) -> RedshiftSettings | None:
    """What the REDSHIFT_ variables say; None where no host is named. A lake in S3 holds the staging too."""
    host = values.get("REDSHIFT_HOST")
    if not host:
        return None
    staging_url = values.get("REDSHIFT_STAGING_URL")
    if staging_url and not staging_url.startswith("s3://"):
        raise ConfigError(f"REDSHIFT_STAGING_URL is {staging_url!r}; it may be s3://bucket/prefix")
    if not staging_url and lake_url.startswith("s3://") and "@" not in lake_url:
        staging_url = lake_url.partition("?")[0].rstrip("/") + "/redshift_staging"
    return RedshiftSettings(
        host=host,
        port=_positive(values, "REDSHIFT_PORT") or 5439,
        database=values.get("REDSHIFT_DATABASE", "music_warehouse"),
        user=values.get("REDSHIFT_USER", "music_warehouse"),
        password=values.get("REDSHIFT_PASSWORD"),
        sslmode=values.get("REDSHIFT_SSLMODE", "require"),
        iam_role=values.get("REDSHIFT_IAM_ROLE"),
        staging_url=staging_url,
        mart_readers=tuple(map(_reader, values.get("REDSHIFT_MART_READERS", "").split())),
    )


def _reader(text: str) -> str:
    """`role:analyst` as GRANT has it: `role "analyst"`."""
    kind, colon, name = text.partition(":")
    if not colon or kind not in ("role", "group", "user") or not name:
        raise ConfigError(
            f"REDSHIFT_MART_READERS has {text!r}; it may hold role:NAME, group:NAME and user:NAME"
        )
    name = '"' + name.replace('"', '""') + '"'
    return name if kind == "user" else f"{kind} {name}"
