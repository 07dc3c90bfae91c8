"""The download of the subset archive, from a server of our own that breaks off, changes and lies."""

import gzip
import hashlib
import random
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from ingestion.__main__ import main
from ingestion.errors import SourceError
from ingestion.msd.download import CHUNK_BYTES, download

CONTENT = gzip.compress(random.Random(0).randbytes(300_000))
PATH = "/dpwe/millionsongsubset.tar.gz"


class Server:
    """What it serves, how it does so, and what it was asked."""

    def __init__(self) -> None:
        self.content, self.etag = CONTENT, '"one"'
        self.break_off_after: list[int] = []
        self.takes_ranges = True
        self.encoding = ""
        self.status = 200
        self.ranges: list[str | None] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.answer(self)

            def log_message(self, *arguments) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._http.serve_forever)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_port}{PATH}"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        asked = request.headers.get("Range")
        self.ranges.append(asked)
        status, body = self.status, self.content
        if asked and self.takes_ranges and request.headers.get("If-Range") == self.etag:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            status, body = (206, self.content[start:]) if start < len(self.content) else (416, b"")
        request.send_response(status)
        request.send_header("Content-Length", str(len(body)))
        if self.etag:
            request.send_header("ETag", self.etag)
        if self.encoding:
            request.send_header("Content-Encoding", self.encoding)
        if status == 416:
            request.send_header("Content-Range", f"bytes */{len(self.content)}")
        request.end_headers()
        if self.break_off_after:
            body = body[: self.break_off_after.pop(0)]
        request.wfile.write(body)

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@pytest.fixture
def server():
    server = Server()
    yield server
    server.stop()


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def starts(server) -> list[int]:
    """From where on the rest was asked for."""
    return [int(asked.removeprefix("bytes=").rstrip("-")) for asked in server.ranges if asked]


def test_a_download_has_its_name_once_it_is_whole(server, tmp_path):
    path = download(server.url, tmp_path / "new")
    assert path == tmp_path / "new/millionsongsubset.tar.gz"
    assert path.read_bytes() == CONTENT
    assert names(tmp_path / "new") == [path.name]


def test_one_that_breaks_off_goes_on_where_it_was(server, tmp_path):
    server.break_off_after = [100_000, 100_000]
    assert download(server.url, tmp_path).read_bytes() == CONTENT
    assert server.ranges[0] is None
    assert CHUNK_BYTES <= starts(server)[0] <= 100_000
    assert 2 * CHUNK_BYTES <= starts(server)[1] <= 200_000


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip"])
def test_an_archive_that_the_server_labels_as_gzipped_is_kept_as_it_is(encoding, server, tmp_path):
    server.encoding, server.break_off_after = encoding, [100_000]
    assert download(server.url, tmp_path).read_bytes() == CONTENT
    assert len(starts(server)) == 1


def test_one_that_was_left_is_gone_on_with_by_the_next_run(server, tmp_path):
    server.break_off_after = [100_000, 0]
    with pytest.raises(SourceError, match="run again to go on"):
        download(server.url, tmp_path)
    assert names(tmp_path) == ["millionsongsubset.tar.gz.part", "millionsongsubset.tar.gz.part.etag"]
    assert download(server.url, tmp_path).read_bytes() == CONTENT
    assert CHUNK_BYTES <= starts(server)[-1] <= 100_000
    assert names(tmp_path) == ["millionsongsubset.tar.gz"]


@pytest.mark.parametrize(
    ("etag", "later_etag", "takes_ranges"),
    [('"one"', '"two"', True), ('"one"', '"one"', False), ('W/"one"', 'W/"one"', True), ("", "", True)],
    ids=["another edition", "no ranges", "a weak validator", "no validator"],
)
def test_what_cannot_be_gone_on_with_is_begun_anew(etag, later_etag, takes_ranges, server, tmp_path):
    server.etag = etag
    server.break_off_after = [100_000, 0]
    with pytest.raises(SourceError):
        download(server.url, tmp_path)
    server.etag, server.takes_ranges = later_etag, takes_ranges
    server.content = gzip.compress(b"another edition")
    assert download(server.url, tmp_path).read_bytes() == server.content


def test_one_that_was_whole_but_unchecked_is_not_fetched_again(server, tmp_path):
    (tmp_path / "millionsongsubset.tar.gz.part").write_bytes(CONTENT)
    (tmp_path / "millionsongsubset.tar.gz.part.etag").write_text(server.etag)
    assert download(server.url, tmp_path).read_bytes() == CONTENT
    assert server.ranges == [f"bytes={len(CONTENT)}-"]


def test_a_file_that_is_there_is_checked_and_kept(server, tmp_path):
    path = download(server.url, tmp_path)
    assert download(server.url, tmp_path) == path
    assert len(server.ranges) == 1
    path.write_bytes(CONTENT[:1000])
    with pytest.raises(SourceError, match="is damaged"):
        download(server.url, tmp_path)


def test_the_checksum_decides(server, tmp_path):
    digest = hashlib.sha256(CONTENT).hexdigest()
    with pytest.raises(SourceError, match=f"has the SHA-256 {digest}, which is not the one given"):
        download(server.url, tmp_path, "0" * 64)
    assert names(tmp_path) == []
    assert download(server.url, tmp_path, digest.upper()).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("content", "reason"),
    [(CONTENT[:-100], "is damaged"), (b"<html>moved</html>", "is not gzipped")],
    ids=["cut", "a page"],
)
def test_what_is_no_whole_archive_does_not_get_its_name(content, reason, server, tmp_path):
    server.content = content
    with pytest.raises(SourceError, match=reason):
        download(server.url, tmp_path)
    assert names(tmp_path) == []


def test_the_command_downloads_from_the_configured_address(server, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MSD_SUBSET_URL", server.url)
    assert main(["msd-subset", "--to", str(tmp_path)]) == 0
    path = tmp_path / "millionsongsubset.tar.gz"
    assert capsys.readouterr().out == f"{path}\nnext: python -m ingestion msd {path}\n"
    assert path.read_bytes() == CONTENT


def test_an_address_that_does_not_answer_is_an_error_of_one_line(server, tmp_path, monkeypatch, capsys):
    server.status = 404
    monkeypatch.setenv("MSD_SUBSET_URL", server.url)
    assert main(["msd-subset", "--to", str(tmp_path)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {server.url} could not be downloaded: 404")
