"""Inflating a chunk whose size is known, with the fastest library at hand.

libdeflate (package `deflate`) and Intel's ISA-L (package `isal`) do what zlib does, in about half the
time on a song's small chunks; they are no requirement (`pip install music-warehouse[fast]`).
"""

import zlib
from collections.abc import Callable

Inflate = Callable[[bytes, int], bytes]
"""Of zlib's bytes and the size they inflate to. Raises InflateError, or gives another size, where they
do not: cut, changed (the checksum tells) or of another size."""


def _zlib(content: bytes, size: int) -> bytes:
    return zlib.decompress(content, bufsize=size)


def _chosen() -> tuple[str, Inflate, type[Exception]]:
    try:
        import deflate
    except ImportError:
        pass
    else:
        return "libdeflate", deflate.zlib_decompress, deflate.DeflateError
    try:
        from isal import isal_zlib
    except ImportError:
        return "zlib", _zlib, zlib.error
    return "isal", lambda content, size: isal_zlib.decompress(content, bufsize=size), isal_zlib.error


LIBRARY, inflate, InflateError = _chosen()
"""Name of the library in use, what it does, and what it raises."""
