"""Publishing: what was built and found good is shown to readers, all of it at once, as a version.

Readers know `open_published` (or the file, or the views, that it opens) and nothing else of the warehouse. A
version never changes; one pointer says which is current, and it moves in one step.
"""

from publishing.publish import (
    AuditError,
    PublishResult,
    publish,
    published_versions,
    resume,
    rollback,
)
from publishing.reading import PublishedMarts, Served, open_published, read_served
from publishing.store import PublishError

__all__ = [
    "AuditError",
    "PublishError",
    "PublishResult",
    "PublishedMarts",
    "Served",
    "open_published",
    "publish",
    "published_versions",
    "read_served",
    "resume",
    "rollback",
]
