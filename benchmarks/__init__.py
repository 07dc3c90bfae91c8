"""Benchmarks: one file per claim, each runnable alone; `python -m benchmarks` runs them all.

A benchmark prints figures as JSON lines (`support/figures.py`), each measured beside its baseline in
the same run, and takes `--smoke` for a tiny run that shows that it works and whose figures mean nothing.
What several of them use is in `support/`. Nothing here decides whether the project is right: tests do.
"""
