"""The person at the browser in a login at the sandbox's accounts service."""

import sys
from pathlib import Path

BROWSER = """#!{python}
import subprocess, sys
subprocess.Popen([{python!r}, "-c", "import sys, urllib.request as r; r.urlopen(sys.argv[1])", sys.argv[1]])
"""


def browser_that_agrees(folder: Path) -> Path:
    """A program for the variable BROWSER: opens the address, as somebody who agrees at once."""
    path = folder / "browser"
    path.write_text(BROWSER.format(python=sys.executable))
    path.chmod(0o700)
    return path
