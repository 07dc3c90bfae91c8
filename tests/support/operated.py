"""A graph that is run and watched: assets of the real names, that do what a test says; the real sensors."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from dagster._core.test_utils import freeze_time

from orchestration.alerts.sensors import alert_sensors
from orchestration.checks import few_bad_files
from orchestration.dbt_models import QUARANTINED_SONG_FILES
from orchestration.publishing import PUBLISHED
from tests.support.clock import SimulatedClock
from tests.support.inboxes import Webhook

MORNING = datetime(2026, 11, 22, 3, 5, tzinfo=UTC)
"""Five past four in Berlin, on a Sunday."""

PUBLISHES = {"version": "v000001", "is_held": False}

EVERYTHING = dg.AssetSelection.all() | dg.AssetSelection.all_asset_checks()

UI_JOB = "__ASSET_JOB"
"""What Dagster calls a run of assets that were chosen in the browser."""


class Operated:
    """Runs and their sensors on one instance, by a clock of their own, and the inbox of whoever is told."""

    def __init__(self, instance: dg.DagsterInstance, inbox: Webhook) -> None:
        self.instance, self.inbox, self.clock = instance, inbox, SimulatedClock(MORNING)
        self.cursors: dict[str, str | None] = {}

    def run(
        self,
        said: Mapping[dg.AssetKey, Mapping[str, Any]] | None = None,
        fails: Callable[[], object] | None = None,
        job: str = "whole_graph",
        forecast: Mapping[str, Any] | None = None,
        judges_bad_files: bool = False,
        tags: Mapping[str, str] | None = None,
    ) -> str:
        """Run a job whose assets say so much, and whose last step publishes or `fails`; the id of the run."""
        said = {PUBLISHED: PUBLISHES, **(said or {})}
        publishes = said.pop(PUBLISHED)
        assets = [_asset(key, metadata) for key, metadata in said.items()]
        checks: list[dg.AssetChecksDefinition] = []
        if judges_bad_files:
            assets.append(_asset(QUARANTINED_SONG_FILES, {}, deps=list(said)))
            checks.append(few_bad_files)
        assets.append(_asset(PUBLISHED, publishes, deps=[asset.key for asset in assets], fails=fails))
        if forecast:
            checks.append(_forecast(forecast))
        definitions = dg.Definitions(
            assets=assets,
            asset_checks=checks,
            jobs=[dg.define_asset_job(job, EVERYTHING)] if job != UI_JOB else [],
            executor=dg.in_process_executor,
        )
        with freeze_time(self.clock.now()):
            result = (
                definitions.resolve_implicit_global_asset_job_def()
                if job == UI_JOB
                else definitions.resolve_job_def(job)
            ).execute_in_process(instance=self.instance, raise_on_error=False, tags=dict(tags or {}))
        return result.run_id

    def begin(self) -> dg.DagsterRun:
        """A run that has begun, and of which no process is left."""
        job = dg.Definitions(
            assets=[_asset(PUBLISHED, PUBLISHES)], jobs=[dg.define_asset_job("whole_graph")]
        ).resolve_job_def("whole_graph")
        with freeze_time(self.clock.now()):
            return self.instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)

    def watch(self, kind: str) -> list[dict[str, Any]]:
        """Let a sensor look, as it does every half minute; what came of it, as the inbox got it."""
        before = len(self.inbox.received)
        (sensor,) = [one for one in alert_sensors(self.clock.now) if one.name == f"{kind}_alert"]
        context = dg.build_sensor_context(instance=self.instance, cursor=self.cursors.get(kind))
        self.cursors[kind] = sensor.evaluate_tick(context).cursor
        return self.inbox.received[before:]

    def titles(self, kind: str) -> list[str]:
        """The titles of what came."""
        return [alert["title"] for alert in self.watch(kind)]


def _asset(
    key: dg.AssetKey,
    metadata: Mapping[str, Any],
    deps: list[dg.AssetKey] | None = None,
    fails: Callable[[], object] | None = None,
) -> dg.AssetsDefinition:
    @dg.asset(key=key, deps=deps)
    def told() -> dg.MaterializeResult:
        if fails:
            fails()
        return dg.MaterializeResult(metadata=metadata)

    return told


def _forecast(result: Mapping[str, Any]) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=PUBLISHED)
    def ready_in_time() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(severity=dg.AssetCheckSeverity.WARN, **result)

    return ready_in_time
