"""The requests that a server got."""

from collections import Counter
from collections.abc import Iterator
from threading import Lock
from typing import NamedTuple


class LoggedRequest(NamedTuple):
    """One request and what became of it.

    `template` is the path with `{id}` for an id, or the path itself where the API does not have it.
    `is_authorised`: with a current token, or the app's credentials where a token is asked for.
    `status` is None where nothing was answered; `fault` names the scripted fault, if one befell it.
    """

    method: str
    path: str
    template: str
    query: dict[str, str]
    is_authorised: bool
    status: int | None
    fault: str | None


class RequestLog:
    """All requests since the start or the last `reset`, in order; may be used from several threads.

    A request is here before its answer reaches the client.
    """

    def __init__(self) -> None:
        self._requests: list[LoggedRequest] = []
        self._lock = Lock()

    def add(self, request: LoggedRequest) -> None:
        """Notes a request."""
        with self._lock:
            self._requests.append(request)

    def reset(self) -> None:
        """Forgets them all."""
        with self._lock:
            self._requests.clear()

    def __iter__(self) -> Iterator[LoggedRequest]:
        with self._lock:
            return iter(tuple(self._requests))

    def __len__(self) -> int:
        with self._lock:
            return len(self._requests)

    def by_template(self) -> Counter[tuple[str, str]]:
        """How many requests there were of each method and template."""
        return Counter((request.method, request.template) for request in self)

    def by_status(self) -> Counter[int | None]:
        """How many requests were answered with each status; None counts those not answered."""
        return Counter(request.status for request in self)
