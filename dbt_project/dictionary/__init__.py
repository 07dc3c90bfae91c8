"""The data dictionary, written from what dbt knows of the project. Not part of the dbt project itself.

`python -m dbt_project.dictionary`, part of `make docs`, writes docs/data-dictionary.md: `models.py` takes
from the manifest what readers may see, `diagram.py` draws how it hangs together, `page.py` puts it into
words. `founding.yml` is written by hand: where each column of the founding data dictionary lives.
"""
