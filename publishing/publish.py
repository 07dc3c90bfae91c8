"""Publishing a version: audit what was built, copy it, check the copy, and only then have readers see it."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version as release_of
from types import MappingProxyType

from ingestion.config import Settings
from ingestion.warehouse import Warehouse
from publishing.audit import column_problems, count_problems, source_problems
from publishing.evidence import Evidence, read_evidence
from publishing.manifest import Manifest, SourceLook, differences, version_name
from publishing.store import PublishError, VersionStore, open_store

log = logging.getLogger(__name__)


class AuditError(PublishError):
    """What was built may not be shown: `problems` says why, a line each. Readers keep what they have."""

    def __init__(self, problems: list[str], current: Manifest | None) -> None:
        self.problems, self.current = problems, current
        served = f"readers keep {current.name}" if current else "readers have no version yet"
        super().__init__("\n".join([f"not published, {served}:", *(f"  {line}" for line in problems)]))


@dataclass(frozen=True)
class PublishResult:
    """The version that readers see after a call; `is_new` where the call made it.

    `held_since` is since when they are held at it, whatever is built.
    """

    manifest: Manifest
    is_new: bool
    held_since: datetime | None = None


def publish(
    settings: Settings,
    sources: Mapping[str, SourceLook] = MappingProxyType({}),
    accept_changes: bool = False,
    now: datetime | None = None,
) -> PublishResult:
    """Have readers see what dbt built, if it was built whole, tested, and is like what they saw before.

    `sources` says what was found where the data comes from; of others holds what the current version says.
    With `accept_changes` the comparison with the current version is left out. Where nothing was built since
    the current version there is nothing to do. Raises AuditError with what does not hold, PublishError where
    another process publishes or readers cannot be switched, LoadError where the warehouse cannot be read.
    """
    now = now or datetime.now(UTC)
    with open_store(settings) as store, store.built() as warehouse:
        current, held_since = store.current(), store.held_since()
        evidence = read_evidence(warehouse)
        _require(evidence.problems(), current)
        if held_since is not None and current is not None:
            log.warning("readers are held at %s since %s", current.name, f"{held_since:%Y-%m-%d %H:%M} UTC")
            return PublishResult(current, False, held_since)
        built_at = evidence.built_at.replace(tzinfo=UTC)
        if current is not None and current.built_at == built_at and current.release == _release():
            log.info("nothing was built since %s", current.name)
            return PublishResult(current, False)
        marts = store.images(evidence.marts)
        sources = {**(current.sources if current else {}), **sources}
        if current is not None and not accept_changes:
            _require(
                [
                    *source_problems(current.sources, sources),
                    *column_problems(current, marts, _release()),
                    *count_problems(evidence.marts, current.marts, marts),
                ],
                current,
            )
        manifest = Manifest(
            version=max((held.version for held in store.versions()), default=0) + 1,
            created_at=now,
            release=_release(),
            is_sandbox=settings.is_sandbox,
            data_from=current.data_to if current else None,
            data_to=max((look.at for look in sources.values()), default=built_at),
            built_at=built_at,
            marts=marts,
            sources=sources,
        )
        _write(store, warehouse, evidence, manifest)
        store.switch(manifest.version)
        log.info("readers see %s: %s rows", manifest.name, f"{sum(manifest.rows.values()):,}")
        _reclaim(store, settings.keep_versions)
        return PublishResult(manifest, True)


def rollback(settings: Settings, to: int | None = None, now: datetime | None = None) -> Manifest:
    """Have readers see an earlier version, by default the one before the current, and hold them there.

    Until `resume` nothing that is built is shown. Raises PublishError where there is no such version.
    """
    with open_store(settings) as store:
        kept, current = [manifest.version for manifest in store.versions()], store.current()
        if current is None:
            raise PublishError("nothing was published yet")
        earlier = [version for version in kept if version < current.version]
        if to is None and not earlier:
            raise PublishError(f"no version before {current.name} is kept")
        if to is not None and to not in kept:
            names = ", ".join(map(version_name, kept))
            raise PublishError(f"{version_name(to)} is not kept; there are {names}")
        store.hold(now or datetime.now(UTC))
        store.switch(earlier[-1] if to is None else to)
        return store.current()


def resume(settings: Settings) -> None:
    """Let readers go from the version that they are held at: the next publication is shown."""
    with open_store(settings) as store:
        store.hold(None)


def published_versions(settings: Settings) -> tuple[list[Manifest], Manifest | None, datetime | None]:
    """The versions that are kept, the current one, and since when readers are held at it."""
    with open_store(settings) as store:
        return store.versions(), store.current(), store.held_since()


def reclaim(settings: Settings, keep: int) -> list[Manifest]:
    """Remove all versions but the last `keep` and the current one; those that went.

    After a purge with `keep` 1: older versions hold what was purged.
    """
    with open_store(settings) as store:
        return _reclaim(store, keep)


def _release() -> str:
    return release_of("music-warehouse")


def _require(problems: list[str], current: Manifest | None) -> None:
    if problems:
        raise AuditError(problems, current)


def _write(store: VersionStore, warehouse: Warehouse, evidence: Evidence, manifest: Manifest) -> None:
    """Copy, and compare the copy with what was built, which nobody may have changed meanwhile."""
    store.write(manifest.version, evidence.marts)
    tables = [mart for mart in evidence.marts if mart.view_sql is None]
    built = [mart for mart in manifest.marts if mart.view_sql is None]
    changed = differences(built, store.images(tables, manifest.version))
    if not changed and read_evidence(warehouse) != evidence:
        changed = ["dbt built while it was copied"]
    _require([f"the copy is not what was built: {line}" for line in changed], store.current())
    store.finish(manifest)


def _reclaim(store: VersionStore, keep: int) -> list[Manifest]:
    versions, current = store.versions(), store.current()
    old = [
        manifest for manifest in versions[:-keep] if current is None or manifest.version != current.version
    ]
    for manifest in old:
        store.remove(manifest.version)
        log.info("%s is removed: the last %s versions are kept", manifest.name, keep)
    return old
