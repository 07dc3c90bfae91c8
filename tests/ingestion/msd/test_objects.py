"""Song files in a bucket and in lists: the same rows as in a folder; what cannot be had is named."""

import io
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pytest
from botocore.awsrequest import AWSResponse

from ingestion.__main__ import main
from ingestion.config import load_settings
from ingestion.errors import SourceError
from ingestion.extract import extract
from ingestion.lake import Lake
from ingestion.msd import MSD, objects
from tests.support.archives import write_archive
from tests.support.buckets import S3, s3_server
from tests.support.msd_files import (
    make_song,
    write_large_files,
    write_song,
    write_song_files,
    write_songs,
)

SONGS = 12
URL = "s3://songs/data"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder of song files, with a summary and a bad file among them."""
    folder = tmp_path_factory.mktemp("songs")
    write_song_files(folder, range(SONGS))
    write_songs(folder / "summary.h5", [make_song(3), make_song(100)], with_arrays=False)
    (folder / "bad.h5").write_bytes(b"no HDF5")
    (folder / "empty.h5").touch()
    (folder / "._TRAAA.h5").write_bytes(b"resource fork")
    (folder / "unique_tracks.txt").write_text("text")
    return folder


@pytest.fixture(scope="module")
def server(folder) -> S3:
    with s3_server() as server:
        server.put("songs", "data/", folder)
        yield server


@pytest.fixture(autouse=True)
def s3(server, monkeypatch) -> S3:
    """The server, as this process's own S3."""
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    objects.store_at.cache_clear()
    return server


def rows_of(path: Path | str) -> dict[str, list]:
    """All rows by table, but where the files lie and when they were made."""
    found = {}
    for table, batch in MSD.read(path, hash_user=str):
        found.setdefault(table.name, []).extend(batch.to_pylist())
    for rows in found.values():
        for row in rows:
            row.pop("source_root", None)
            row.pop("modified_at", None)
        rows.sort(key=str)
    return found


def settings(tmp_path, name="data"):
    return load_settings({"WAREHOUSE_DATA_DIR": str(tmp_path / name), "MSD_PATH": URL})


def lake_rows(where, table: str) -> list[dict]:
    """The rows of a table in all finished units."""
    lake = Lake(where.lake_url)
    return [
        row
        for record in lake.done_records("msd")
        for part in record.parts
        if part.table == table
        for batch in lake.read_part(part)
        for row in batch.to_pylist()
    ]


@pytest.mark.parametrize("url", [URL, f"{URL}/"])
def test_a_prefix_gives_the_rows_of_its_files(url, folder):
    assert rows_of(url) == rows_of(folder)


def test_a_whole_bucket_and_a_single_object_can_be_named(folder, s3):
    s3.put("one", "", folder)
    assert rows_of("s3://one") == rows_of(folder)
    (path,) = [path for path in folder.rglob("TR*.h5") if make_song(3).track_id in path.name]
    single = rows_of(f"{URL}/{path.relative_to(folder).as_posix()}")
    assert single == rows_of(path)


def test_genuine_samples_are_the_same_through_a_bucket(genuine_samples, s3):
    s3.put("genuine", "data/", genuine_samples / "msd")
    rows = rows_of("s3://genuine/data")
    assert len(rows["songs"]) > 1
    assert rows == rows_of(genuine_samples / "msd")


def ranges_asked_for(url: str) -> list[str]:
    """The ranges of objects that are asked for from now on."""
    asked: list[str] = []
    objects.store_at(url)._client.meta.events.register(
        "provide-client-params.s3.GetObject", lambda params, **_: asked.append(params["Range"])
    )
    return asked


def test_of_a_genuine_song_48_kib_are_asked_for_and_its_end_only_where_it_has_tags(genuine_samples, s3):
    s3.put("asked", "data/", genuine_samples / "msd")
    asked = ranges_asked_for("s3://asked/data")
    rows = rows_of("s3://asked/data")
    songs = len(rows["songs"])
    tagged = {row["track_id"] for row in rows["artist_mbtags"]}
    assert asked.count("bytes=0-49151") == songs
    assert asked.count("bytes=0-0") == 1, "whether it may be read at all"
    assert len(asked) - 1 == songs + len(tagged) < 2 * songs


def test_of_an_object_its_beginning_is_asked_for_and_the_rest_only_if_it_is_read(s3):
    content = bytes(number % 251 for number in range(200_000))
    s3.client.create_bucket(Bucket="parts")
    s3.client.put_object(Bucket="parts", Key="a.h5", Body=content)
    place = MSD.place("s3://parts")
    files = list(place.files())
    asked = ranges_asked_for("s3://parts")
    ((_, found),) = place.contents(files)
    assert asked == ["bytes=0-49151", "bytes=183616-199999"]
    for start, length in ((0, 49152), (100, 7), (183_616, 99_999), (199_999, 1), (250_000, 3)):
        assert found.read(start, length) == content[start : start + length]
    assert len(asked) == 2
    for start, length in ((0, 200_000), (49_000, 1000), (100_000, 10)):
        assert found.read(start, length) == content[start : start + length]
    assert len(asked) == 5
    ((_, whole),) = place.contents(files, wanted_bytes=10**9)
    assert whole.read(0, 10**9) == content
    assert asked[5:] == ["bytes=0-199999"]


def test_where_objects_lie_is_said_without_the_urls_secrets():
    url = "s3://test:test@songs/data?region=us-east-1"
    (files,) = [batch for table, batch in MSD.read(url, str) if table.name == "files"]
    assert set(files["source_root"].to_pylist()) == {URL}


def test_a_listing_of_several_pages_is_complete_and_in_order(s3):
    s3.client.create_bucket(Bucket="many")
    for number in range(1050):
        s3.client.put_object(Bucket="many", Key=f"{number:04}.h5", Body=b"")
    paths = [file.path for file in MSD.place("s3://many").files()]
    assert paths == [f"{number:04}.h5" for number in range(1050)]


def test_objects_are_units_that_are_done_once_wherever_they_are_copied(tmp_path, folder, s3):
    where = settings(tmp_path)
    first = extract(where, MSD, URL)
    assert (first.files, first.units_extracted, first.bad_files) == (SONGS + 3, 1, 2)
    s3.put("copy", "elsewhere/", folder)
    again = extract(where, MSD, "s3://copy/elsewhere")
    assert (again.units_done_before, again.units_extracted, again.bad_files) == (1, 0, 2)
    s3.client.put_object(Bucket="copy", Key="elsewhere/bad.h5", Body=b"other bytes")
    assert extract(where, MSD, "s3://copy/elsewhere").units_extracted == 1


def test_an_object_that_goes_or_changes_after_it_was_listed_is_quarantined(s3, folder):
    s3.put("moving", "", folder)
    place = MSD.place("s3://moving")
    (unit,) = MSD.units(place)
    gone, changed = unit[0].path, unit[-1].path
    s3.client.delete_object(Bucket="moving", Key=gone)
    s3.client.put_object(Bucket="moving", Key=changed, Body=b"other bytes, and more of them")
    batches = {table.name: batch for table, batch in MSD.read_unit(place, unit, str)}
    reasons = {row["file_path"]: row["reason"] for row in batches["quarantined_inputs"].to_pylist()}
    assert (reasons[gone], reasons[changed]) == ("missing_file", "changed_file")


@pytest.mark.parametrize("url", ["s3://nowhere/data", "s3://nowhere"])
def test_a_bucket_that_is_not_there_is_an_error_of_one_line(url, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("WAREHOUSE_DATA_DIR", str(tmp_path / "data"))
    assert main(["msd", url]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: s3://nowhere/")
    assert "NoSuchBucket" in line
    assert not (tmp_path / "data").exists()


def test_a_prefix_without_songs_is_an_error_of_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("WAREHOUSE_DATA_DIR", str(tmp_path / "data"))
    assert main(["msd", "s3://songs/elsewhere"]) == 1
    assert capsys.readouterr().err == "error: no .h5 or .hdf5 object below s3://songs/elsewhere\n"


def test_missing_credentials_are_an_error_of_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("WAREHOUSE_DATA_DIR", str(tmp_path / "data"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    assert main(["msd", URL]) == 1
    assert "Unable to locate credentials" in capsys.readouterr().err


def forbid(monkeypatch, is_forbidden) -> None:
    """S3 says from now on, in this process, that objects may not be read whose keys are such."""

    def answered(request, **_):
        key = unquote(request.url.partition("?")[0].split("/", 4)[-1])
        if request.method in ("GET", "HEAD") and "list-type" not in request.url and is_forbidden(key):
            body = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
            raw = io.BytesIO(b"" if request.method == "HEAD" else body)
            raw.stream = lambda **_: iter([raw.getvalue()])
            return AWSResponse(request.url, 403, {"Content-Type": "application/xml"}, raw)
        return None

    made = objects.Store.__init__

    def forbidding(self, url):
        made(self, url)
        self._client.meta.events.register("before-send.s3", answered)

    objects.store_at.cache_clear()
    monkeypatch.setattr(objects.Store, "__init__", forbidding)


IN_THIS_PROCESS = replace(MSD, may_crash=False)


def test_objects_that_may_not_be_read_are_read_once_they_may(tmp_path, s3):
    write_song_files(tmp_path / "songs", range(9))
    (tmp_path / "songs/bad.h5").write_bytes(b"no HDF5")
    s3.put("rights", "", tmp_path / "songs")
    where = settings(tmp_path)
    forbidden = {make_song(5).track_id, make_song(7).track_id}

    def extracted():
        with pytest.MonkeyPatch.context() as patch:
            forbid(patch, lambda key: Path(key).stem in forbidden)
            return extract(where, IN_THIS_PROCESS, "s3://rights")

    first = extracted()
    assert (first.files, first.rows["songs"], first.bad_files, first.units_extracted) == (10, 7, 3, 1)
    for row in lake_rows(where, "quarantined_inputs"):
        assert row["file_path"] == "bad.h5" or (
            row["reason"] == "unreadable_file" and "s3:GetObject" in row["detail"]
        )
    again = extracted()
    assert (again.files, again.bad_files, again.units_extracted, again.units_done_before) == (10, 3, 0, 1)
    assert not again.rows
    forbidden.remove(make_song(7).track_id)
    third = extracted()
    assert (third.rows["songs"], third.bad_files, third.units_extracted) == (1, 2, 1)
    forbidden.clear()
    fourth = extracted()
    assert (fourth.rows["songs"], fourth.bad_files, fourth.units_extracted) == (1, 1, 1)
    last = extracted()
    assert (last.files, last.bad_files, last.units_extracted, last.units_done_before) == (10, 1, 0, 1)
    assert sorted(row["track_id"] for row in lake_rows(where, "songs")) == [
        make_song(number).track_id for number in range(9)
    ], "each song is in the lake once"


@pytest.mark.parametrize("is_list", [False, True])
def test_a_bucket_of_which_nothing_may_be_read_ends_the_run_and_costs_no_row(
    is_list, tmp_path, s3, monkeypatch
):
    write_song_files(tmp_path / "songs", range(5))
    s3.put("closed", "data/", tmp_path / "songs")
    where = settings(tmp_path)
    source = "s3://closed/data"
    if is_list:
        keys = [found["Key"] for found in s3.client.list_objects_v2(Bucket="closed")["Contents"]]
        (tmp_path / "list").write_text("".join(f"s3://closed/{key}\n" for key in keys))
        source = f"@{tmp_path / 'list'}"
    forbid(monkeypatch, lambda _: True)
    with pytest.raises(SourceError, match=r"s3://closed/data/.*\.h5: .*s3:GetObject.*403|AccessDenied"):
        extract(where, IN_THIS_PROCESS, source)
    assert not Lake(where.lake_url).done_unit_ids("msd")


def test_a_number_sign_is_part_of_a_prefix(folder, s3):
    s3.put("signs", "a#b/", folder)
    s3.put("signs", "a/", folder / "A")
    for url in ("s3://signs/a#b", "s3://test:test@signs/a#b?region=us-east-1"):
        assert rows_of(url) == rows_of(folder)


@pytest.mark.parametrize("name", ["songs.tar.gz", "songs.tar"])
def test_an_archive_in_a_bucket_is_read_as_a_stream(name, folder, s3, tmp_path, monkeypatch):
    monkeypatch.setattr(objects, "RANGE_BYTES", 10_000)
    (tmp_path / "archives").mkdir()
    made = write_archive(tmp_path / "archives" / name, folder)
    s3.put("archives", f"of-{name}/", tmp_path / "archives")
    (tmp_path / "list").write_text(f"s3://archives/of-{name}/{name}")
    expected = {row["track_id"] for row in rows_of(made)["songs"]}
    for place in (f"s3://archives/of-{name}/{name}", f"s3://archives/of-{name}", f"@{tmp_path / 'list'}"):
        assert rows_of(place) == rows_of(made)
        result = extract(settings(tmp_path), MSD, place)
        assert (result.archives, result.bad_archives) == (1, [])
    assert {row["track_id"] for row in lake_rows(settings(tmp_path), "songs")} == expected
    assert result.units_done_before == 2, "the same archive, wherever it was named"


def test_ranges_of_an_object_come_as_a_file(s3, monkeypatch):
    monkeypatch.setattr(objects, "RANGE_BYTES", 1000)
    content = bytes(number % 251 for number in range(100_500))
    s3.client.create_bucket(Bucket="whole")
    etag = s3.client.put_object(Bucket="whole", Key="a", Body=content)["ETag"].strip('"')
    with objects.ObjectFile("s3://whole", "whole", "a", len(content), etag) as file:
        assert file.read() == content
        for start in (0, 99_000, 500, 500, 31_999, 100_500):
            file.seek(start)
            got = file.read(2)
            assert got == content[start : start + len(got)]
            assert got or start == len(content)
            assert got + file.read() == content[start:]


def test_a_server_that_goes_away_ends_the_run_and_leaves_the_rest_to_be_read(folder, monkeypatch):
    with s3_server() as going:
        going.put("songs", "data/", folder)
        for name, value in going.environment.items():
            monkeypatch.setenv(name, value)
        objects.store_at.cache_clear()
        place = MSD.place(URL)
        units = list(MSD.units(place))
    monkeypatch.setattr(objects, "ATTEMPTS", 1)
    objects.store_at.cache_clear()
    with pytest.raises(SourceError, match="cannot be read"):
        list(MSD.read_unit(place, units[0], str))


def test_extractors_side_by_side_share_a_bucket_and_a_lake_in_it(tmp_path, s3):
    """As containers do: processes with nothing in common but their environment and their shard."""
    s3.client.create_bucket(Bucket="lake")
    source = tmp_path / "many"
    write_large_files(source, 9, songs_per_file=4)
    write_song_files(source, range(40, 60))
    s3.put("many-songs", "", source)
    shards = 3
    environment = {**os.environ, "WAREHOUSE_LAKE_URL": f"s3://lake/msd?{_lake_options(s3)}"}
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "ingestion", "msd", "s3://many-songs", "--shard", f"{shard}/{shards}"],
            env=environment | {"WAREHOUSE_DATA_DIR": str(tmp_path / f"machine-{shard}")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for shard in range(1, shards + 1)
    ]
    shown = [process.communicate()[0] for process in running]
    assert [process.returncode for process in running] == [0] * shards, shown
    lake = Lake(environment["WAREHOUSE_LAKE_URL"])
    songs = [
        track_id
        for record in lake.done_records("msd")
        for part in record.parts
        if part.table == "songs"
        for batch in lake.read_part(part)
        for track_id in batch["track_id"].to_pylist()
    ]
    assert sorted(songs) == [make_song(number).track_id for number in [*range(36), *range(40, 60)]]
    assert all(", 0 done before" in text for text in shown), shown


def _lake_options(s3: S3) -> str:
    host = s3.environment["AWS_ENDPOINT_URL"].removeprefix("http://")
    return f"scheme=http&endpoint_override={host}&region=us-east-1"


def test_a_list_gives_the_rows_of_the_files_it_names(tmp_path, folder):
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.h5"))
    wanted = [name for name in names if not Path(name).name.startswith(".")]
    listed = folder.parent / f"{folder.name}.txt"
    listed.write_text("\n".join(f"{folder.name}/{name}" for name in wanted))
    inside = folder / "list.txt"
    inside.write_text("".join(f"./{name}\r\n\r\n" for name in reversed(wanted)) + wanted[0])
    marked = folder / "marked.txt"
    marked.write_bytes(b"\xef\xbb\xbf" + "".join(f"{name} \r\n" for name in wanted).encode())
    assert rows_of(f"@{marked}") == rows_of(folder)
    marked.unlink()
    absolute = tmp_path / "list.txt"
    absolute.write_text("\n".join(str(folder / name) for name in wanted))
    assert rows_of(f"@{inside}") == rows_of(folder)
    for path in (listed, absolute):
        assert _titles(rows_of(f"@{path}")) == _titles(rows_of(folder))
        assert len(rows_of(f"@{path}")["files"]) == len(wanted)
    inside.unlink()


def _titles(rows) -> list[str]:
    return sorted(row["title"] for row in rows["songs"])


def test_a_list_may_name_local_files_and_objects(tmp_path, s3):
    write_song(tmp_path / "local", make_song(1))
    write_song(tmp_path / "remote", make_song(2))
    s3.put("listed", "", tmp_path / "remote")
    (local,) = (tmp_path / "local").rglob("*.h5")
    (remote,) = (tmp_path / "remote").rglob("*.h5")
    key = remote.relative_to(tmp_path / "remote").as_posix()
    listed = tmp_path / "list"
    s3.client.put_object(Bucket="listed", Key=f"{key}.zip", Body=b"anything")
    listed.write_text(
        f"s3://listed/{key}\n{local.relative_to(tmp_path)}\ngone.h5\ns3://listed/gone.h5\n"
        f"s3://listed/{key}.zip"
    )
    rows = rows_of(f"@{listed}")
    assert sorted(row["track_id"] for row in rows["songs"]) == [make_song(1).track_id, make_song(2).track_id]
    quarantined = {row["file_path"]: row["reason"] for row in rows["quarantined_inputs"]}
    assert quarantined == {
        "gone.h5": "missing_file",
        "s3://listed/gone.h5": "missing_file",
        f"s3://listed/{key}.zip": "unread_archive",
    }


def test_the_command_takes_a_list_from_a_file_or_the_standard_input(tmp_path, folder, monkeypatch, capsys):
    monkeypatch.setenv("WAREHOUSE_DATA_DIR", str(tmp_path / "data"))
    names = "\n".join(str(path) for path in folder.rglob("TR*.h5"))
    (tmp_path / "list").write_text(names)
    assert main(["msd", "--files-from", str(tmp_path / "list")]) == 0
    said = re.search(rf"msd: {SONGS:,} files in (\d+) units, 0 done before", capsys.readouterr().out)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(names.encode())))
    assert main(["msd", "--files-from", "-"]) == 0
    units = said.group(1)
    assert f"msd: {SONGS:,} files in {units} units, {units} done before" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--files-from", "/nowhere"), "--files-from is /nowhere, which does not exist"),
        (("/somewhere", "--files-from", "list"), "PATH and --files-from exclude each other"),
    ],
)
def test_a_list_that_cannot_be_used_is_named(arguments, reason, capsys):
    assert main(["msd", *arguments]) == 1
    assert capsys.readouterr().err == f"error: {reason}\n"


def test_an_empty_list_is_an_error(tmp_path):
    (tmp_path / "list").write_text("\n\n")
    with pytest.raises(FileNotFoundError, match="names no file"):
        list(MSD.read(f"@{tmp_path / 'list'}", str))
