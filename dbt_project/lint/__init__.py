"""Checks of SQL that need no database. Not part of the dbt project itself.

`python -m dbt_project.lint`: compile every model for both targets (`compiling.py`, with the macros in
`offline/`), parse what came out in the engine's dialect, and look for what Redshift refuses (`redshift/`).
`jinja/` is what sqlfluff sees of dbt while it lints the models' layout.
"""
