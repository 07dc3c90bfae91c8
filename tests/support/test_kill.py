"""The kill harness hits the stage it aims at, and never takes an end for a hit."""

import sys
import time

import pytest

from tests.support.kill import BEFORE_FIRST, Stage, Target

STAGES = (
    Stage("started", log="^started$"),
    Stage("draft", glob="draft/*.txt", without="final/{stem}.md"),
    Stage("final", glob="final/*"),
    Stage("said and final", glob="final/*", log="^end$"),
)

WORK = """
import pathlib, sys, time
folder, seconds = pathlib.Path(sys.argv[1]), float(sys.argv[2])
time.sleep(seconds)
print("started")
time.sleep(seconds)
(folder / "draft").mkdir(exist_ok=True)
(folder / "draft/a.txt").write_text("a")
time.sleep(seconds)
(folder / "final").mkdir(exist_ok=True)
(folder / "final/a.md").write_text("a")
time.sleep(seconds)
print("end")
time.sleep(seconds)
"""


def target(folder, seconds=0.1, stages=STAGES):
    command = [sys.executable, "-c", WORK, str(folder), str(seconds)]
    return Target(command, {}, folder, stages)


@pytest.mark.parametrize("stage", [stage.name for stage in STAGES])
def test_a_kill_hits_the_stage_it_aims_at(stage, tmp_path):
    report = target(tmp_path / "work").kill_in(stage)
    assert report.hit
    assert report.stage == stage


def test_nothing_happens_after_the_kill(tmp_path):
    folder = tmp_path / "work"
    target(folder, seconds=0.05).kill_in("draft")
    time.sleep(0.2)
    assert (folder / "draft/a.txt").exists()
    assert not (folder / "final").exists()


def test_a_process_that_ended_before_the_kill_is_reported_as_that(tmp_path):
    report = target(tmp_path / "work", seconds=0).kill_after(30)
    assert report.stage is None
    assert not report.hit


def test_a_stage_that_never_comes_is_no_hit(tmp_path):
    stages = (Stage("never", glob="nowhere/*"),)
    report = target(tmp_path / "work", seconds=0, stages=stages).kill_in("never")
    assert report.stage is None
    assert not report.hit
    assert report.log == "started\nend\n"


def test_a_kill_by_time_names_the_stage_that_it_hit(tmp_path):
    report = target(tmp_path / "work", seconds=0.5).kill_after(0.05)
    assert report.hit
    assert report.stage == "started"


def test_what_an_earlier_process_left_is_no_marker(tmp_path):
    folder = tmp_path / "work"
    target(folder, seconds=0).run_to_end()
    report = target(folder, seconds=0.1).kill_in("started")
    assert report.stage == "started"
    assert target(folder, seconds=0.1).kill_in("draft").stage is None, "its final file was there before"


def test_children_are_killed_too(tmp_path):
    folder = tmp_path / "work"
    child = "import pathlib, sys, time; time.sleep(0.5); pathlib.Path(sys.argv[1], 'late').touch()"
    parent = "import subprocess, sys; print('started', flush=True); subprocess.run(sys.argv[1:])"
    command = [sys.executable, "-c", parent, sys.executable, "-c", child, str(folder)]
    report = Target(command, {}, folder, STAGES[:1]).kill_after(0.1)
    assert report.stage == "started"
    time.sleep(0.8)
    assert not (folder / "late").exists()


def test_a_run_to_its_end_gives_its_log(tmp_path):
    seconds, log = target(tmp_path / "work", seconds=0.02).run_to_end()
    assert log == "started\nend\n"
    assert seconds > 0
    assert BEFORE_FIRST not in {stage.name for stage in STAGES}
