"""The process that executes a run: all steps in it, seen to be alive, alone on its warehouse."""

from collections.abc import Iterator

import dagster as dg
from dagster._core.execution.context.system import PlanOrchestrationContext
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.retries import RetryMode
from dagster._core.executor.in_process import InProcessExecutor

from ingestion.config import load_settings
from ingestion.errors import IngestionError
from orchestration.lake import SHARD_JOB
from orchestration.liveness import mark_alive
from orchestration.warehouse import sole_run


class _OneProcess(InProcessExecutor):
    def execute(
        self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan
    ) -> Iterator[dg.DagsterEvent]:
        mark_alive(plan_context.instance, plan_context.run_id)
        try:
            settings = load_settings()
        except IngestionError:  # the first step says it in one line
            settings = None
        if settings is None or plan_context.job_name == SHARD_JOB:  # the lake takes many at once
            yield from super().execute(plan_context, execution_plan)
        else:
            with sole_run(settings, waits=True):
                yield from super().execute(plan_context, execution_plan)


@dg.executor(name="one_process")
def one_process(_context: dg.InitExecutorContext) -> InProcessExecutor:
    """Every further process would import everything anew, and DuckDB has one writer."""
    return _OneProcess(retries=RetryMode.ENABLED)
