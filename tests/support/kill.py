"""Killing a process where it hurts: once aimed at a stage of its work, or at any time.

A stage is known by what is on disk or in the log while it lasts. Which stage a kill hit is read
off after the process is dead, when nothing moves any more; a process that had ended by itself
before the kill is reported as that, never as a hit.
"""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from glob import glob
from pathlib import Path

GIVE_UP_SECONDS = 120.0
"""A process that lives this long is stuck: it is killed and the test fails."""


@dataclass(frozen=True)
class Stage:
    """A stage of a process's work; it lasts while all of the markers given hold.

    `glob`: a path pattern below the watched folder, matched by something this process made or
    changed. `without`: a path below the folder that must not exist, `{stem}` being the name of the
    `glob` match without its suffix. `log`: a regular expression found in the process's output.
    """

    name: str
    glob: str | None = None
    without: str | None = None
    log: str | None = None


@dataclass(frozen=True)
class KillReport:
    """What a kill hit: a stage; `before the first stage`; or None where the process had ended before.

    `aim` is the stage aimed at, None for a kill by time.
    """

    stage: str | None
    aim: str | None
    log: str

    @property
    def hit(self) -> bool:
        """Whether the process was killed, and in the stage aimed at if there was one."""
        return self.stage is not None and self.aim in (None, self.stage)


BEFORE_FIRST = "before the first stage"


@dataclass(frozen=True)
class Target:
    """A command to kill. `stages` stand in order of precedence: where several hold, the last one counts.

    `poll_seconds` is the time between two looks; it should be well below the shortest stage.
    """

    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    stages: Sequence[Stage]
    poll_seconds: float = 0.002

    def kill_in(self, stage_name: str) -> KillReport:
        """Start it and kill it in the stage of that name."""
        stage = next(stage for stage in self.stages if stage.name == stage_name)
        with _Running(self) as running:
            running.halt_in(stage)
            return running.kill(aim=stage.name)

    def kill_after(self, seconds: float) -> KillReport:
        """Start it, wait for its first stage and kill it `seconds` later."""
        with _Running(self) as running:
            running.wait_for(running.stage)
            with suppress(subprocess.TimeoutExpired):
                running.process.wait(seconds)
            return running.kill(aim=None)

    def run_to_end(self) -> tuple[float, str]:
        """Start it and let it end; returns the seconds from its first stage to its end, and its log."""
        with _Running(self) as running:
            running.wait_for(running.stage)
            started = time.monotonic()
            running.process.wait(GIVE_UP_SECONDS)
            assert running.process.returncode == 0, running.log()
            return time.monotonic() - started, running.log()


class _Running:
    """The process, in a session of its own, and what can be seen of it from outside."""

    def __init__(self, target: Target) -> None:
        self._target = target
        target.folder.mkdir(parents=True, exist_ok=True)
        self._log_path = target.folder.with_name(f"{target.folder.name}.log")
        self._seen_before = {
            found for stage in target.stages if stage.glob for found in self._matches(stage.glob)
        }
        with self._log_path.open("wb") as log:
            self.process = subprocess.Popen(
                target.command,
                env={**target.environment, "PYTHONUNBUFFERED": "1"},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._deadline = time.monotonic() + GIVE_UP_SECONDS

    def __enter__(self) -> "_Running":
        return self

    def __exit__(self, *exception: object) -> None:
        self._signal(signal.SIGKILL)
        self.process.wait()

    def log(self) -> str:
        """All that it has printed."""
        return self._log_path.read_text(errors="replace")

    def stage(self) -> Stage | None:
        """The stage it is in, None before the first."""
        return next((stage for stage in reversed(self._target.stages) if self._holds(stage)), None)

    def wait_for(self, is_reached: Callable[[], object]) -> bool:
        """Let it run until `is_reached` says something true; False where it ended before."""
        while self.process.poll() is None:
            if is_reached():
                return True
            assert time.monotonic() < self._deadline, f"stuck:\n{self.log()}"
            time.sleep(self._target.poll_seconds)
        return False

    def halt_in(self, stage: Stage) -> None:
        """Let it run until it is in the stage, and halt it there; or until it ends.

        Only a second look, at the halted process, tells that it has not left the stage meanwhile.
        """
        while self.wait_for(lambda: self._holds(stage)):
            self._signal(signal.SIGSTOP)
            os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
            if self.stage() is stage:
                return
            self._signal(signal.SIGCONT)

    def kill(self, aim: str | None) -> KillReport:
        """SIGKILL to it and its children, and the report."""
        self._signal(signal.SIGKILL)
        if self.process.wait() != -signal.SIGKILL:
            return KillReport(None, aim, self.log())
        stage = self.stage()
        return KillReport(stage.name if stage else BEFORE_FIRST, aim, self.log())

    def _holds(self, stage: Stage) -> bool:
        if stage.log is not None and not re.search(stage.log, self.log(), re.MULTILINE):
            return False
        if stage.glob is None:
            return True
        for found in self._matches(stage.glob) - self._seen_before:
            path = Path(found[0])
            if stage.without is None:
                return True
            if not (self._target.folder / stage.without.format(stem=path.stem)).exists():
                return True
        return False

    def _matches(self, pattern: str) -> set[tuple[str, int, int]]:
        """What matches, each with what tells it from an earlier thing of that name."""
        matches = set()
        # Unlike Path.glob it does not fail where a folder goes away under its hands.
        for path in glob(pattern, root_dir=self._target.folder, include_hidden=True):  # noqa: PTH207
            try:
                stat = (self._target.folder / path).lstat()
            except FileNotFoundError:
                continue
            matches.add((path, stat.st_mtime_ns, stat.st_ino))
        return matches

    def _signal(self, number: signal.Signals) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)
