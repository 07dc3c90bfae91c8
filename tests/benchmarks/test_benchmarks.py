"""The benchmark frame, and that every benchmark runs. No figure is judged here: timing is never asserted."""

import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from benchmarks.__main__ import HERE, main
from benchmarks.support.document import document
from benchmarks.support.figures import Figure, figure
from benchmarks.support.measuring import measure
from benchmarks.support.runner import Outcome, find

KEYS = ["name", "value", "unit", "baseline", "ratio", "goal", "holds"]
GOOD = '"""Claims little."""\nprint(\'{"name": "speed", "value": 3.0, "unit": "rows/s"}\')\n'


@pytest.mark.parametrize("benchmark", find(HERE), ids=lambda path: path.stem)
def test_every_benchmark_runs_alone_and_prints_figures(benchmark, tmp_path):
    """As a file, from another folder, in its tiny size."""
    done = subprocess.run(
        [sys.executable, str(benchmark), "--smoke"], cwd=tmp_path, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines
    for line in lines:
        assert list(line) == KEYS
        assert isinstance(line["name"], str)
        assert isinstance(line["value"], float)
        assert (line["goal"] is None) == (line["holds"] is None)
        assert (line["baseline"] is None) == (line["ratio"] is None)
    assert len({line["name"] for line in lines}) == len(lines)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("benchmark", find(HERE), ids=lambda path: path.stem)
def test_every_benchmark_runs_as_a_module(benchmark):
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{benchmark.stem}", "--help"],
        cwd=HERE.parent,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    assert "--smoke" in done.stdout


@pytest.mark.parametrize(
    ("given", "ratio", "goal", "holds"),
    [
        ({}, None, None, None),
        ({"at_least": 100}, None, 100, True),
        ({"at_most": 100}, None, 100, False),
        ({"baseline": 480.0, "at_least": 0.35}, 0.25, 0.35, False),
        ({"baseline": 480.0, "at_most": 0.35}, 0.25, 0.35, True),
        ({"baseline": 480.0, "ratio": 0.4, "at_least": 0.35}, 0.4, 0.35, True),
    ],
)
def test_a_goal_bounds_the_ratio_or_else_the_value(given, ratio, goal, holds):
    made = figure("speed", 120.0, "rows/s", **given)

    assert (made.ratio, made.goal, made.holds) == (ratio, goal, holds)
    assert Figure.from_line(made.line()) == made


def test_the_document_has_a_table_for_each_benchmark_and_names_no_machine_path():
    figures = [
        figure("fast", 123456.7, "rows/s", baseline=300_000.0, at_least=0.35),
        figure("flat", 210.0, "MB", baseline=200.0, at_most=1.15),
        figure("idle", 0.5, "s"),
    ]
    text = document([Outcome("load", "Claims something.", figures), Outcome("broken", "", [], "fell over")])

    assert "## load\n\nClaims something.\n\n| name | value |" in text
    assert "| fast | 123,500 rows/s | 300,000 | 0.4115 | ≥ 0.35 | yes |" in text
    assert "| flat | 210 MB | 200 | 1.05 | ≤ 1.15 | yes |" in text
    assert "| idle | 0.5 s |  |  |  |  |" in text
    assert "**Failed:** fell over." in text
    assert f"Python {sys.version.split()[0]}" in text
    assert str(Path.home()) not in text
    assert str(HERE.parent) not in text


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise SystemExit(3)", "exited with status 3"),
        ("print('hello')", "no figure"),
        ("print('{\"speed\": 1}')", "no figure"),
        ("", "printed no figure"),
    ],
)
def test_a_failing_benchmark_is_reported_and_the_others_run(code, reason, tmp_path, capfd):
    (tmp_path / "a_broken.py").write_text(f'"""Fails."""\n{code}\n')
    (tmp_path / "b_good.py").write_text(GOOD)
    output = tmp_path / "docs" / "benchmarks.md"

    assert main(["--smoke", "--output", str(output)], folder=tmp_path) == 1

    shown = capfd.readouterr()
    assert "error: benchmark a_broken" in shown.err
    assert reason in shown.err
    assert '"name": "speed"' in shown.out
    assert "**Failed:**" in output.read_text()
    assert "| speed | 3 rows/s |" in output.read_text()


def test_only_the_named_benchmarks_run_and_smoke_writes_no_document(tmp_path, capfd):
    (tmp_path / "a_broken.py").write_text("raise SystemExit(3)")
    (tmp_path / "b_good.py").write_text(
        GOOD.replace("print", "import sys; assert '--smoke' in sys.argv; print")
    )

    assert main(["--smoke", "b_good"], folder=tmp_path) == 0
    assert '"speed"' in capfd.readouterr().out
    with pytest.raises(SystemExit) as stopped:
        main(["unknown"], folder=tmp_path)
    assert stopped.value.code == 2


def test_work_is_measured_in_a_process_of_its_own():
    small, large = (measure(partial, exec, f"b'x' * {size}") for size in (1, 200_000_000))

    assert large.peak_bytes - small.peak_bytes > 150_000_000
    assert measure(partial, divmod, 7, 2).result == (3, 1)
    with pytest.raises(ZeroDivisionError):
        measure(partial, divmod, 7, 0)
