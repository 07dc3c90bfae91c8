"""`make run`: the whole graph in this process, and a summary of what came out."""

import logging
import sys
import uuid

import dagster as dg

from ingestion.config import SOURCE_VARIABLES, Settings, load_settings
from ingestion.errors import IngestionError
from ingestion.lake import shown_url
from orchestration.liveness import mark_alive
from orchestration.warehouse import sole_run


class _AsSaid(logging.Formatter):
    """The message alone: Dagster, on its way to the run's log, puts the run and the step before it."""

    def format(self, record: logging.LogRecord) -> str:
        return getattr(record, "dagster_meta", {}).get("orig_message") or super().format(record)


def main() -> int:
    """Materialise everything; returns 0 when every step and every check passed."""
    terminal = logging.StreamHandler()
    terminal.setFormatter(_AsSaid())
    logging.basicConfig(handlers=[terminal])
    logging.getLogger("ingestion").setLevel(logging.INFO)
    logging.getLogger("orchestration").setLevel(logging.INFO)
    try:
        settings = load_settings()
        with sole_run(settings):
            return _run(settings)
    except IngestionError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def execute(job: dg.JobDefinition, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    """Execute a job in this process, which shows that it is alive; an error is in the result."""
    run_id = str(uuid.uuid4())
    mark_alive(instance, run_id)
    return job.execute_in_process(
        instance=instance,
        run_id=run_id,
        raise_on_error=False,
        run_config={"loggers": {"console": {"config": {"log_level": "ERROR"}}}},
    )


def _run(settings: Settings) -> int:
    # These take seconds to import, and a second run is to be refused at once.
    from orchestration.dbt_models import matched_models, models_to_match
    from orchestration.definitions import defs
    from orchestration.summary import summarise

    if settings.is_sandbox:
        unset = ", ".join([*SOURCE_VARIABLES.values(), "SPOTIPY_CLIENT_ID"])
        print(f"Sandbox: none of {unset} is set, so everything comes from a made-up music world.")
    elif not settings.source_paths and settings.spotify is None:
        print("No source is set: what the lake and the warehouse hold already is built again.")
    for source, path in settings.source_paths.items():
        print(f"{SOURCE_VARIABLES[source]}: {shown_url(str(path))}")
    if settings.spotify:
        print(f"Spotify's Web API: {settings.spotify.playlist_ids or 'the playlists of the authorised user'}")
    job = defs.resolve_job_def("whole_graph")
    with dg.DagsterInstance.get() as instance:
        result = execute(job, instance)
    tests = models_to_match.check_keys | matched_models.check_keys
    checks = [
        check.passed for check in result.get_asset_check_evaluations() if check.asset_check_key not in tests
    ]
    failed = {event.step_key for event in result.all_events if event.is_step_failure}
    print(summarise(settings, failed, checks))
    return 0 if result.success else 1


if __name__ == "__main__":
    sys.exit(main())
