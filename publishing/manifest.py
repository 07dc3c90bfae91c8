"""The manifest of a version: what is in it, from when, and made by what."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime

import orjson


@dataclass(frozen=True)
class PublishedMart:
    """One table or view of a version.

    `row_hash` is the same for the same rows in any order; volatile and floating-point columns are not in it.
    `columns` are the types by name, in order, as the engine calls them. Of a view, `view_sql` is its query.
    """

    name: str
    rows: int
    row_hash: str
    columns: dict[str, str]
    view_sql: str | None = None


@dataclass(frozen=True)
class SourceLook:
    """When a source was last looked at, and how many inputs (files, playlists) were found there."""

    at: datetime
    inputs: int


@dataclass(frozen=True)
class Manifest:
    """What a version consists of; times are UTC.

    What was brought between `data_from`, None for the first version, and `data_to` is new in it. `built_at`
    is when dbt built the last of its marts, `release` the code's.
    """

    version: int
    created_at: datetime
    release: str
    is_sandbox: bool
    data_from: datetime | None
    data_to: datetime
    built_at: datetime
    marts: list[PublishedMart]
    sources: dict[str, SourceLook] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What a version is called: `v000012`."""
        return version_name(self.version)

    @property
    def rows(self) -> Mapping[str, int]:
        """Rows by mart."""
        return {mart.name: mart.rows for mart in self.marts}

    def to_json(self) -> str:
        """The manifest as its file holds it."""
        return orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> "Manifest":
        """A manifest from what `to_json` gave."""
        held = orjson.loads(text)
        times = {
            name: held[name] and datetime.fromisoformat(held[name])
            for name in ("created_at", "data_from", "data_to", "built_at")
        }
        sources = {
            name: SourceLook(datetime.fromisoformat(look["at"]), look["inputs"])
            for name, look in held["sources"].items()
        }
        marts = [PublishedMart(**mart) for mart in held["marts"]]
        return cls(**{**held, **times, "sources": sources, "marts": marts})


def version_name(version: int) -> str:
    """A version's name; names sort as versions do."""
    return f"v{version:06}"


def differences(before: Sequence[PublishedMart], after: Sequence[PublishedMart]) -> list[str]:
    """What sets two images of the same marts apart, a line each."""
    old, new = ({mart.name: mart for mart in marts} for marts in (before, after))
    return [
        f"{name}: {_said(old.get(name))}, then {_said(new.get(name))}"
        for name in sorted(old | new)
        if old.get(name) != new.get(name)
    ]


def _said(mart: PublishedMart | None) -> str:
    return "not there" if mart is None else f"{mart.rows:,} rows of hash {mart.row_hash}"
