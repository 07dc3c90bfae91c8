"""The key of user hashes: a lake has one. With two, a person would have two hashes in it, and looked for by
either would be found in half of it.
"""

from ingestion.config import Settings
from ingestion.errors import ConfigError
from ingestion.lake import Lake
from ingestion.source import Source

FINGERPRINT = "user_hash_key"
"""At the lake's root: the file that tells keys apart."""

FINGERPRINT_DIGITS = 16
"""Of the hash of a fixed word: enough to tell keys apart, and a key cannot be found from it."""


def has_users(source: Source) -> bool:
    """Whether the tables of a source can name a user."""
    return any(name.endswith("_hash") for table in source.tables for name in table.schema.names)


def require_same_key(settings: Settings, lake: Lake) -> None:
    """Compare the key in use with the one that the lake was made with; a lake without one takes this.

    Raises ConfigError where they differ.
    """
    fingerprint = settings.hash_user("which key is this?")[:FINGERPRINT_DIGITS]  # no user has such an id
    if lake.keep_once(FINGERPRINT, fingerprint) != fingerprint:
        raise ConfigError(
            f"the lake {lake.url} was made with another key for the hashes of users: set WAREHOUSE_HMAC_KEY "
            "to that one (where it was not set, it is in the file hmac_key of the data folder in use then)"
        )
