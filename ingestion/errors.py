"""Errors that an operator can act on: their message is shown alone, without a traceback."""


class IngestionError(Exception):
    """The base of them all."""


class ConfigError(IngestionError):
    """A setting that cannot be used; the message names the variable and what it may hold."""


class LakeError(IngestionError):
    """A part that is not what its done-record says: missing, cut or changed."""


class SourceError(IngestionError):
    """A place of input that cannot be read as a whole: a bucket, a list, an address."""


class BadInputError(IngestionError):
    """More input is in quarantine than is taken for normal; all that could be read is in the lake."""


class LoadError(IngestionError):
    """The warehouse could not be loaded; the message says what to do."""


class ReaderCrashError(IngestionError):
    """A process that read files died, and no file can be blamed; what was extracted before stays."""
