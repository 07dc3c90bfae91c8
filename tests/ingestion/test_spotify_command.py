"""`python -m ingestion spotify`: playlists by id into a bucket, exit statuses, and what a run will cost."""

import re
from datetime import UTC, datetime
from io import BytesIO, StringIO

import boto3
import pyarrow.parquet as pq
import pytest
import requests
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError
from pyarrow import fs

from ingestion.__main__ import main
from ingestion.spotify.authorisation import keep_refresh_token
from ingestion.spotify.plan import costs
from ingestion.spotify.search import Song
from sandbox.spotify_api import SpotifyApi, faults
from tests.support.buckets import s3_server
from tests.support.spotify_replay import write_songs_to_search

SPELLINGS = (
    "{}",
    "spotify:playlist:{}",
    "https://open.spotify.com/intl-de/playlist/{}?si=0123456789abcdef",
    " spotify:user:somebody:playlist:{} ",
)


@pytest.fixture
def server():
    with SpotifyApi(app="extended") as server:
        yield server


@pytest.fixture
def ids(server):
    return [
        one.playlist_id for one in server.world.playlists if server.day in one.versions and one.is_public
    ][:4]


@pytest.fixture(autouse=True)
def environment(server, tmp_path, monkeypatch):
    monkeypatch.setenv("WAREHOUSE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("SPOTIPY_CLIENT_ID", server.client_id)
    monkeypatch.setenv("SPOTIPY_CLIENT_SECRET", server.client_secret)
    monkeypatch.setenv("SPOTIFY_API_URL", server.url)
    monkeypatch.setenv("SPOTIFY_ACCOUNTS_URL", server.url)


@pytest.fixture
def s3(monkeypatch):
    """An S3 of its own, to which boto3 and pyarrow are led by the usual variables."""
    with s3_server() as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        yield running.client


def test_playlists_by_id_become_tables_in_a_bucket_that_is_made_private_and_encrypted(s3, ids, capsys):
    named = [spelling.format(id_) for spelling, id_ in zip(SPELLINGS, ids, strict=True)]
    assert main(["spotify", "--bucket", "playlists-of-mine", *named]) == 0
    assert s3.get_public_access_block(Bucket="playlists-of-mine")["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": True,
        "RestrictPublicBuckets": True,
    }
    assert s3.get_bucket_encryption(Bucket="playlists-of-mine")["ServerSideEncryptionConfiguration"]["Rules"]
    found = pq.read_table("s3://playlists-of-mine/spotify/playlists")
    assert sorted(found["playlist_id"].to_pylist()) == sorted(ids)
    assert "new in the lake s3://playlists-of-mine:" in capsys.readouterr().out


def test_a_bucket_that_is_there_stays_as_it_is(s3, ids):
    s3.create_bucket(Bucket="shared")
    assert main(["spotify", "--bucket", "shared", ids[0]]) == 0
    with pytest.raises(ClientError, match="NoSuchPublicAccessBlock"):
        s3.get_public_access_block(Bucket="shared")
    assert (
        fs.FileSystem.from_uri("s3://shared")[0].get_file_info("shared/spotify/done").type
        == fs.FileType.Directory
    )


@pytest.mark.usefixtures("s3")
@pytest.mark.parametrize("name", ["not a name", "x"])
def test_a_name_that_no_bucket_can_have_is_refused_before_anything_is_asked_for(name, ids, server, capsys):
    assert main(["spotify", "--bucket", name, ids[0]]) == 1
    assert f"error: bucket {name}: " in capsys.readouterr().err
    assert len(server.requests) == 0


class DeniedBody(BytesIO):
    """A body as botocore reads it from a connection."""

    def stream(self):
        yield self.read()


def test_a_bucket_that_cannot_be_made_private_is_not_left_behind(s3, ids, monkeypatch, capsys):
    session = boto3.Session()
    denied = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
    session.events.register(
        "before-send.s3.PutPublicAccessBlock",
        lambda request, **_: AWSResponse(request.url, 403, {}, DeniedBody(denied)),
    )
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
    assert main(["spotify", "--bucket", "half-made", ids[0]]) == 1
    assert "making one takes s3:CreateBucket, s3:PutBucketPublicAccessBlock" in capsys.readouterr().err
    assert "half-made" not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]


def test_without_an_app_the_command_says_which_variables_to_set(monkeypatch, ids, capsys):
    monkeypatch.delenv("SPOTIPY_CLIENT_ID")
    monkeypatch.delenv("SPOTIPY_CLIENT_SECRET")
    assert main(["spotify", ids[0]]) == 1
    assert "give SPOTIPY_CLIENT_ID and SPOTIPY_CLIENT_SECRET" in capsys.readouterr().err


def test_without_ids_and_without_a_user_the_command_says_how_to_authorise(capsys):
    assert main(["spotify"]) == 1
    assert "python -m ingestion spotify login" in capsys.readouterr().err


def test_what_is_no_playlist_id_is_named(capsys):
    assert main(["spotify", "37i9dQZF1DXcBWIGoYBM5M", "rock"]) == 1
    assert "line 2: 'rock' names no playlist" in capsys.readouterr().err


def test_ids_can_come_from_a_file(ids, tmp_path, monkeypatch, capsys):
    (tmp_path / "ids").write_text("\n".join(ids))
    monkeypatch.setenv("SPOTIFY_PLAYLIST_IDS", str(tmp_path / "ids"))
    assert main(["spotify"]) == 0
    assert "4 playlists looked at, 4 read, 0 failed" in capsys.readouterr().out


def test_a_run_that_reaches_a_limit_ends_with_status_3_and_says_when_to_go_on(server, ids, capsys):
    server.faults.script(faults.quota_exceeded("40000"), path="/v1/playlists/*", nth=3)
    assert main(["spotify", *ids]) == 3
    shown = capsys.readouterr().out
    assert "2 read" in shown
    assert "run again after 20" in shown


def test_rows_are_made_anew_from_the_archive_without_a_request(server, ids, capsys):
    assert main(["spotify", *ids]) == 0
    server.requests.reset()
    assert main(["spotify", "--from-archive"]) == 0
    assert "rows of 2 units made anew" in capsys.readouterr().out
    assert len(server.requests) == 0


def test_a_person_is_purged_and_the_count_shows_it(server, ids, capsys, tmp_path):
    owner = next(one.owner_id for one in server.world.playlists if one.playlist_id == ids[0])
    assert main(["spotify", *ids]) == 0
    assert main(["load"]) == 0
    capsys.readouterr()
    assert main(["purge", "--spotify-user", owner]) == 0
    counts = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    assert {place for place, *_ in counts} >= {"lake", "archive", "raw"}
    assert all(int(before) > 0 and after == "0" for place, before, after in counts if place != "marts")
    assert not any(owner.encode() in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())


def test_retention_says_what_it_removed_and_from_when(ids, capsys, monkeypatch):
    assert main(["spotify", *ids]) == 0
    assert main(["retain"]) == 0
    assert "not confirmed since 20" in capsys.readouterr().out
    monkeypatch.setenv("SPOTIFY_RETENTION_DAYS", "forever")
    assert main(["retain"]) == 0
    assert "everything stays" in capsys.readouterr().out


def test_the_plan_needs_no_app_and_asks_for_nothing(monkeypatch, server, capsys):
    monkeypatch.delenv("SPOTIPY_CLIENT_ID")
    monkeypatch.delenv("SPOTIPY_CLIENT_SECRET")
    assert main(["spotify", "plan", "200,000"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[3:9]] == ["development"] * 2 + ["extended"] * 2 + ["legacy"] * 2
    assert len(server.requests) == 0


def test_the_plan_counts_days_by_the_requests_that_are_set(monkeypatch, capsys):
    monkeypatch.setenv("SPOTIFY_DAILY_REQUESTS", "1000")
    assert main(["spotify", "plan", "5000", "--tracks", "40", "--changed", "0"]) == 0
    (by_id,) = (
        line for line in capsys.readouterr().out.splitlines() if line.startswith("development  by id")
    )
    assert by_id.split()[3:] == ["5,000", "5", "5,000", "5"]


@pytest.mark.parametrize(("tracks", "further_pages"), [(65, 0), (100, 0), (101, 1), (150, 1), (151, 2)])
def test_the_plan_counts_the_page_that_comes_with_a_playlist_as_its_first(tracks, further_pages):
    (extended,) = (
        cost for cost in costs(10_000, tracks, 0) if (cost.app, cost.playlists) == ("extended", "by id")
    )
    artists = extended.first_run - 10_000 * (1 + further_pages)
    assert 0 < artists < 10_000


@pytest.mark.parametrize(("requests_a_day", "songs"), [("1000", "300"), ("100000", "30,000")])
def test_the_plan_says_how_many_songs_can_be_searched_for(requests_a_day, songs, monkeypatch, capsys):
    monkeypatch.setenv("SPOTIFY_DAILY_REQUESTS", requests_a_day)
    assert main(["spotify", "plan", "5000"]) == 0
    assert f"at least {songs} songs on a day that asks for nothing else" in capsys.readouterr().out


@pytest.fixture
def songs(server, tmp_path):
    """Twelve songs for which the warehouse has no track, and Spotify has."""
    pairs = {pair.msd_track_id for pair in server.world.track_pairs if pair.matches_exactly}
    songs = [
        Song(one.track_id, one.title, one.artist_name) for one in server.world.songs if one.track_id in pairs
    ][:12]
    write_songs_to_search(tmp_path / "data", songs)
    return songs


def test_songs_are_searched_for_as_many_as_the_command_says(songs, capsys):
    assert main(["spotify", "search", "5"]) == 0
    shown = capsys.readouterr().out
    assert "5 songs searched for, 5 found, 0 failed" in shown
    assert "           5  track_searches" in shown
    assert main(["spotify", "search", "1,000"]) == 0
    assert f"{len(songs) - 5} songs searched for" in capsys.readouterr().out


@pytest.mark.usefixtures("songs")
def test_without_a_number_songs_are_searched_for_as_the_day_s_requests_allow(monkeypatch, server, capsys):
    assert main(["spotify", "search"]) == 1
    assert "give the number of songs, or set SPOTIFY_DAILY_REQUESTS" in capsys.readouterr().err
    assert len(server.requests) == 0
    monkeypatch.setenv("SPOTIFY_DAILY_REQUESTS", "12")
    assert main(["spotify", "search"]) == 3
    shown = capsys.readouterr().out
    assert "4 songs searched for, 4 found" in shown, "60 % of 12, less the probe"
    assert "run again after 20" in shown


@pytest.mark.usefixtures("songs")
def test_an_app_that_may_not_search_is_told(monkeypatch, capsys):
    with SpotifyApi(app="extended", exceptions={"/v1/search": 403}) as server:
        monkeypatch.setenv("SPOTIFY_API_URL", server.url)
        monkeypatch.setenv("SPOTIFY_ACCOUNTS_URL", server.url)
        assert main(["spotify", "search", "5"]) == 1
    shown = capsys.readouterr().out
    assert "0 songs searched for" in shown
    assert "this app may not search" in shown


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan", "0"),
        ("plan", "many"),
        ("plan", "5", "--changed", "2"),
        ("--shard", "3/2"),
        ("login", "now"),
        ("search", "0"),
        ("search", "5", "--shard", "3/2"),
    ],
)
def test_a_wrong_command_line_ends_with_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        main(["spotify", *arguments])
    assert end.value.code == 2
    assert "usage: python -m ingestion" in capsys.readouterr().err


def test_the_plan_without_a_number_says_what_to_give(capsys):
    assert main(["spotify", "plan"]) == 1
    assert "give the number of playlists, or set SPOTIFY_PLAYLIST_IDS" in capsys.readouterr().err


def test_an_id_file_that_cannot_be_read_is_named_with_the_line(tmp_path, monkeypatch, capsys):
    file = tmp_path / "ids"
    monkeypatch.setenv("SPOTIFY_PLAYLIST_IDS", str(file))
    file.write_text("37i9dQZF1DXcBWIGoYBM5M\nrock\n")
    assert main(["spotify"]) == 1
    assert f"error: {file}: line 2: 'rock' names no playlist" in capsys.readouterr().err
    file.write_bytes("Müller".encode("latin-1"))
    assert main(["spotify", "plan"]) == 1
    assert capsys.readouterr().err.startswith(f"error: {file}: 'utf-8' codec")


def test_making_rows_anew_takes_no_ids(ids, capsys):
    assert main(["spotify", "--from-archive", *ids]) == 1
    assert "it takes no ids" in capsys.readouterr().err


def test_after_the_one_time_login_the_users_own_playlists_are_read(monkeypatch, capsys):
    monkeypatch.setenv("SPOTIPY_REDIRECT_URI", "http://127.0.0.1:8888/callback")

    class Person(StringIO):
        """Opens the address that is shown, agrees, and pastes the one that the browser ended at."""

        def readline(self, *_):
            address = re.search(r"http\S+/authorize\S+", capsys.readouterr().out)[0]
            return requests.get(address, allow_redirects=False).headers["Location"] + "\n"

    monkeypatch.setattr("sys.stdin", Person())
    assert main(["spotify", "login", "--paste"]) == 0
    assert "Authorised until about 20" in capsys.readouterr().out
    assert main(["spotify"]) == 0
    assert "62 playlists looked at, 62 read, 0 failed" in capsys.readouterr().out


def test_by_id_a_dead_authorisation_of_the_user_does_not_matter(server, ids, tmp_path, capsys):
    keep_refresh_token(tmp_path / "data/spotify/token.json", server.client_id, "dead", datetime.now(UTC))
    assert main(["spotify", *ids]) == 0
    assert main(["spotify"]) == 1
    assert "authorise again" in capsys.readouterr().err
