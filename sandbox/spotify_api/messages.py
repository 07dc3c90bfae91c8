"""What goes in and out of the server, without a socket: a request, its answer, an error."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

JSON_TYPE = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it was read: names of `headers` in lower case, `form` the fields of a POST's body."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer before it is sent. Content-Length is not among `headers`: sending it adds it."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class ApiError(Exception):
    """The API's own error: status, message and, for a quota stop, the reason."""

    def __init__(
        self, status: int, message: str, reason: str | None = None, retry_after: str | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.reason, self.retry_after = status, message, reason, retry_after

    def answer(self) -> Answer:
        """`{"error": {"status", "message"[, "reason"]}}` under that status."""
        error = {"status": self.status, "message": self.message}
        if self.reason:
            error["reason"] = self.reason
        headers = {"Retry-After": self.retry_after} if self.retry_after else {}
        return json_answer({"error": error}, self.status, headers)


def json_answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """That value as JSON text in UTF-8."""
    return Answer(status, orjson.dumps(value), {"Content-Type": JSON_TYPE, **(headers or {})})
