"""Scripted misbehaviour: what goes wrong, and on which requests.

A `Fault` says what goes wrong; `Faults.script` says when. The faults that stand in for an answer
give the same bytes each time; those that damage one damage whatever the API would have said.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from fnmatch import fnmatchcase
from random import Random
from threading import Lock
from typing import Any, Literal

import orjson

from sandbox.spotify_api.messages import Answer, Request, json_answer

Delivery = Literal["whole", "hang", "close", "cut", "cut chunked"]
_HTML = b"<!DOCTYPE html><html><head><title>Upstream error</title></head><body>Sorry</body></html>"
_HTML_TYPE = {"Content-Type": "text/html; charset=utf-8"}


@dataclass(frozen=True)
class Fault:
    """One way to go wrong.

    `before` is done before the request is answered; `answer` stands in for the API's own, `change`
    alters that one; `delivery` says how much of it the client gets.
    """

    name: str
    answer: Answer | None = None
    change: Callable[[Answer], Answer] | None = None
    delivery: Delivery = "whole"
    before: Callable[[], None] | None = None


def too_many_requests(retry_after: str | None = "1", body: Literal["json", "text"] = "json") -> Fault:
    """429 with that Retry-After, None for no such header. See `retry_after_values` for its kinds."""
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    if body == "text":
        text = Answer(429, b"Too many requests", {"Content-Type": "text/plain", **headers})
        return Fault("too many requests", text)
    return _error("too many requests", 429, "API rate limit exceeded", headers)


def retry_after_values(seconds: int = 2) -> dict[str, str | None]:
    """Every kind of Retry-After that a client must bear; `seconds` for the kinds that let one choose."""
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    return {
        "integer": str(seconds),
        "missing": None,
        "fraction": f"{seconds - 0.5}",
        "http date": format_datetime(moment, usegmt=True),
        "negative": "-5",
        "huge": "86400",
    }


def quota_exceeded(retry_after: str | None = "48925") -> Fault:
    """The stop by quota: 429 whose error carries the reason QUOTA_EXCEEDED."""
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return _error("quota exceeded", 429, "Too many requests", headers, reason="QUOTA_EXCEEDED")


def server_error(status: int = 503) -> Fault:
    """500, 502 or 503 with the API's own error body."""
    messages = {500: "Server error.", 502: "Bad gateway.", 503: "Service unavailable"}
    return _error(f"server error {status}", status, messages.get(status, "Server error."))


def hang() -> Fault:
    """No answer until the client gives up or the server stops."""
    return Fault("hang", delivery="hang")


def close_connection() -> Fault:
    """The connection is closed and nothing sent."""
    return Fault("connection closed", delivery="close")


def cut_body(chunked: bool = False) -> Fault:
    """The connection is closed after half of the body, announced by Content-Length or in chunks."""
    return Fault("body cut", delivery="cut chunked" if chunked else "cut")


def truncated_json() -> Fault:
    """The first half of the JSON text, with a status and a Content-Length as if it were complete."""
    return Fault(
        "truncated JSON", change=lambda answer: replace(answer, body=answer.body[: len(answer.body) // 2])
    )


def html(status: int = 200) -> Fault:
    """A page of HTML where JSON belongs, with that status: 200 or 403, for example."""
    return Fault("HTML", Answer(status, _HTML, _HTML_TYPE))


def empty_body() -> Fault:
    """200 and nothing else."""
    return Fault("empty body", Answer(200))


def error_string(status: int = 400, text: str = "invalid_request") -> Fault:
    """An error body that names a string where the API else puts an object."""
    return Fault("error string", json_answer({"error": text}, status))


def changed_json(change: Callable[[Any], Any], name: str = "changed JSON") -> Fault:
    """The API's own answer after `change`, which gets its JSON value and gives the one to send.

    What is not answered with 200 stays as it is.
    """

    def changed(answer: Answer) -> Answer:
        return json_answer(change(orjson.loads(answer.body))) if answer.status == 200 else answer

    return Fault(name, change=changed)


def null_entries() -> Fault:
    """A batch answer whose first entry is null."""
    return changed_json(lambda batch: {key: [None, *values[1:]] for key, values in batch.items()}, "null")


def fewer_results() -> Fault:
    """A batch answer that lacks its last entry."""
    return changed_json(lambda batch: {key: values[:-1] for key, values in batch.items()}, "fewer results")


def first_do(action: Callable[[], object]) -> Fault:
    """A sound answer, but `action` is done right before: a playlist edited between two pages, say."""

    def before() -> None:
        action()

    return Fault("something else happened first", before=before)


def _error(
    name: str,
    status: int,
    message: str,
    headers: dict[str, str] | None = None,
    reason: str | None = None,
) -> Fault:
    error = {"status": status, "message": message} | ({"reason": reason} if reason else {})
    return Fault(name, json_answer({"error": error}, status, headers))


class Rule:
    """A fault and the requests that it befalls. `used`: how many it has befallen."""

    def __init__(
        self,
        fault: Fault,
        path: str,
        method: str | None,
        nth: int,
        times: int | None,
        chance: Callable[[], bool],
    ) -> None:
        self.fault, self.used = fault, 0
        self._path, self._method, self._nth, self._times, self._chance = path, method, nth, times, chance
        self._seen = 0

    def saw(self, request: Request) -> bool:
        """Counts the request where it matches; whether the fault is due."""
        if self._method not in (None, request.method) or not fnmatchcase(request.path, self._path):
            return False
        self._seen += 1
        return self._seen >= self._nth and self.used != self._times and self._chance()


class Faults:
    """The script of one server, empty at first; may be used from several threads."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._lock = Lock()

    def script(
        self,
        fault: Fault,
        path: str = "*",
        *,
        method: str | None = None,
        nth: int = 1,
        times: int | None = 1,
    ) -> Rule:
        """Lets the fault befall the next `times` requests (None: all) from the `nth` matching one on.

        `path` is a shell pattern for the path without query, in which `*` also matches slashes:
        "/v1/playlists/*/items". Counting begins now, with 1. Of several due faults the one scripted
        first wins and the others stay due.
        """
        return self._add(Rule(fault, path, method, nth, times, lambda: True))

    def storm(self, probability: float, seed: int, fault: Fault | None = None, path: str = "/v1/*") -> Rule:
        """Lets the fault (429, Retry-After 1) befall each matching request with that probability, 0..1.

        The seed decides which ones, by the order in which they come, until `clear`.
        """
        random = Random(seed)
        fault = fault or too_many_requests()
        return self._add(Rule(fault, path, None, 1, None, lambda: random.random() < probability))

    def clear(self) -> None:
        """Forgets all that was scripted."""
        with self._lock:
            self._rules.clear()

    def due(self, request: Request) -> Fault | None:
        """The fault that befalls this request, which is thereby counted."""
        with self._lock:
            due = [rule for rule in self._rules if rule.saw(request)]
            if not due:
                return None
            due[0].used += 1
            return due[0].fault

    def _add(self, rule: Rule) -> Rule:
        with self._lock:
            self._rules.append(rule)
        return rule
