"""Slices of the Million Playlist Dataset, as published and as they are found."""

import json
from datetime import UTC, date, datetime

import pytest

from tests.ingestion.playlist_files.files import WRITTEN_AT, mpd_playlist, mpd_slice, mpd_track


def test_a_slice_gives_its_playlists_items_and_observations(read, write):
    write("mpd.slice.0-999.json", mpd_slice(mpd_playlist(17, description="for the road"), mpd_playlist(18)))

    result = read()

    assert result.playlists[0] | {"snapshot_id": None} == {
        "playlist_id": "mpd:0-999:17",
        "snapshot_id": None,
        "name": "Playlist 17",
        "description": "for the road",
        "is_collaborative": False,
        "follower_count": 3,
        "edit_count": 6,
        "declared_track_count": 2,
        "item_count": 2,
        "modified_at": datetime(2017, 4, 29, tzinfo=UTC),
        "source_system": "mpd",
        "terms_of_use": "mpd_research",
    }
    assert result.playlist_tracks[1] == {
        "playlist_id": "mpd:0-999:17",
        "snapshot_id": result.playlists[0]["snapshot_id"],
        "position": 1,
        "item_type": "track",
        "track_uri": f"spotify:track:{1:022}",
        "track_name": "Track 1",
        "artist_uri": f"spotify:artist:{1:022}",
        "artist_name": "Artist 1",
        "all_artist_uris": None,
        "all_artist_names": None,
        "album_uri": f"spotify:album:{1:022}",
        "album_name": "Album 1",
        "duration_ms": 200_001,
        "isrc": None,
        "release_date": None,
        "popularity": None,
        "is_explicit": None,
        "added_at": None,
        "added_by_hash": None,
        "other_fields": None,
    }
    assert result.playlist_observations[0] == {
        "playlist_id": "mpd:0-999:17",
        "observed_on": date(2017, 12, 3),
        "file_path": "mpd.slice.0-999.json",
        "snapshot_id": result.playlists[0]["snapshot_id"],
        "observed_at": datetime(2017, 12, 3, 8, 41, 42, 57563, tzinfo=UTC),
    }
    (file,) = result.files
    assert (file["file_kind"], file["record_count"], file["quarantined_count"]) == ("mpd_slice", 2, 0)
    assert file["modified_at"] == WRITTEN_AT
    assert len(result.playlists[0]["snapshot_id"]) == 32


def test_the_slice_is_named_by_its_info_else_by_its_file(read, write):
    write("named.json", mpd_slice(mpd_playlist(1)))
    write("deep/unnamed.json", {"playlists": [mpd_playlist(1)]})

    assert {row["playlist_id"] for row in read().playlists} == {"mpd:0-999:1", "mpd:unnamed:1"}


@pytest.mark.parametrize("generated_on", [..., None, "", "some day", {"on": 1}])
def test_a_slice_without_a_readable_date_was_observed_when_it_was_written(read, write, generated_on):
    slice_ = mpd_slice(mpd_playlist(1), generated_on=generated_on if generated_on is not ... else None)
    if generated_on is ...:
        del slice_["info"]["generated_on"]
    write("slice.json", slice_)

    assert read().playlist_observations[0]["observed_at"] == WRITTEN_AT


def test_the_day_of_observation_is_counted_in_utc(read, write):
    write("slice.json", mpd_slice(mpd_playlist(1), generated_on="2018-01-01T01:00:00+03:00"))

    assert read().playlist_observations[0]["observed_on"] == date(2017, 12, 31)


def test_a_challenge_set_is_read_like_a_slice_and_keeps_the_places_of_its_tracks(read, write):
    tracks = [mpd_track(number, pos=pos) for number, pos in enumerate((0, 5, 9))]
    playlist = mpd_playlist(1000002, tracks, num_tracks=42, num_samples=3, num_holdouts=39, name=...)
    write("set.json", {"date": "2018-01-16 08:47:28.198015", "version": "v1", "playlists": [playlist]})

    result = read()

    assert result.playlist["name"] is None
    assert (result.playlist["declared_track_count"], result.playlist["item_count"]) == (42, 3)
    assert result.column("position") == [0, 1, 2]
    assert result.column("other_fields") == [None, '{"pos":5}', '{"pos":9}']
    assert result.playlist_observations[0]["observed_on"] == date(2018, 1, 16)


def test_numbers_given_as_floats_or_text_are_the_same_numbers(read, write):
    def as_text(tracks):
        return [
            track | {"pos": f"{track['pos']}", "duration_ms": f"{track['duration_ms']}"} for track in tracks
        ]

    def as_floats(tracks):
        return [
            track | {"pos": float(track["pos"]), "duration_ms": float(track["duration_ms"])}
            for track in tracks
        ]

    sound = mpd_playlist(7)
    write("a.json", mpd_slice(sound))
    write("b.json", mpd_slice(sound | {"pid": "7", "num_edits": "6", "tracks": as_text(sound["tracks"])}))
    write("c.json", mpd_slice(sound | {"pid": 7.0, "num_edits": 6.0, "tracks": as_floats(sound["tracks"])}))

    result = read()

    assert result.playlist["edit_count"] == 6
    assert len(result.playlist_observations) == 3
    assert result.column("duration_ms") == [200_000, 200_001]


@pytest.mark.parametrize(
    ("collaborative", "expected"),
    [("true", True), ("false", False), (True, True), (False, False), ("perhaps", None), (None, None)],
)
def test_collaborative_is_a_flag_however_it_is_written(read, write, collaborative, expected):
    write("slice.json", mpd_slice(mpd_playlist(1, collaborative=collaborative)))

    assert read().playlist["is_collaborative"] is expected


def test_missing_columns_are_null(read, write):
    tracks = [{"track_uri": f"spotify:track:{1:022}", "artist_name": "A", "track_name": "T"}]
    write("slice.json", mpd_slice({"pid": 1, "tracks": tracks}))

    result = read()

    assert result.playlist["follower_count"] is None
    assert result.playlist["modified_at"] is None
    assert (result.column("album_uri"), result.column("duration_ms")) == ([None], [None])
    assert result.column("item_type") == ["track"]


def test_a_column_missing_in_one_track_only_is_null_there(read, write):
    write("slice.json", mpd_slice(mpd_playlist(1, [mpd_track(0), mpd_track(1, album_name=...)])))

    assert read().column("album_name") == ["Album 0", None]


def test_the_declared_count_is_kept_beside_the_real_one(read, write):
    write("slice.json", mpd_slice(mpd_playlist(1, tracks=2, num_tracks=99)))

    assert (result := read().playlist)["declared_track_count"] == 99
    assert result["item_count"] == 2


def test_an_empty_playlist_is_a_playlist(read, write):
    write("slice.json", mpd_slice(mpd_playlist(1, tracks=0)))

    result = read()

    assert result.playlist["item_count"] == 0
    assert result.playlist_tracks == []
    assert len(result.playlist_observations) == 1


def test_an_empty_slice_is_a_slice(read, write):
    write("slice.json", mpd_slice())

    assert read().files[0]["file_kind"] == "mpd_slice"


def test_items_stand_in_the_order_of_pos_where_each_has_its_own(read, write):
    shuffled = [mpd_track(number) for number in (2, 0, 1)]
    write("a.json", mpd_slice(mpd_playlist(1, shuffled), slice="a"))
    write("b.json", mpd_slice(mpd_playlist(1, [track | {"pos": 0} for track in shuffled]), slice="b"))
    write("c.json", mpd_slice(mpd_playlist(1, [*shuffled[:2], mpd_track(1, pos=...)]), slice="c"))

    assert read("a.json").column("track_name") == ["Track 0", "Track 1", "Track 2"]
    assert read("b.json").column("track_name") == ["Track 2", "Track 0", "Track 1"]
    assert read("c.json").column("track_name") == ["Track 2", "Track 0", "Track 1"]


@pytest.mark.parametrize("bad", [None, 7, "spotify:track:x", []])
def test_a_track_that_is_no_object_is_an_unavailable_item_at_its_place(read, write, bad):
    write("slice.json", mpd_slice(mpd_playlist(1, [mpd_track(0), bad, mpd_track(2)])))

    result = read()

    assert result.column("item_type") == ["track", "unavailable", "track"]
    assert result.column("position") == [0, 1, 2]
    assert result.quarantined_inputs == []


def test_episodes_and_local_files_are_told_by_their_uri(read, write):
    uris = [f"spotify:episode:{1:022}", "spotify:local:A:B:C:200", f"{1:022}", ""]
    tracks = [mpd_track(number, track_uri=uri) for number, uri in enumerate(uris)]
    write("slice.json", mpd_slice(mpd_playlist(1, tracks)))

    result = read()

    assert result.column("item_type") == ["episode", "local", "track", "track"]
    assert result.column("track_uri") == [uris[0], uris[1], f"spotify:track:{1:022}", None]


def test_keys_that_have_no_column_and_values_of_no_use_stay_in_other_fields(read, write):
    track = mpd_track(0, zeta=1, alpha={"b": 2, "a": 1}, duration_ms="long", nothing=None)
    write("slice.json", mpd_slice(mpd_playlist(1, [track, mpd_track(1)])))

    result = read()

    assert result.column("other_fields") == ['{"alpha":{"a":1,"b":2},"duration_ms":"long","zeta":1}', None]
    assert result.column("duration_ms") == [None, 200_001]


def test_numbers_too_large_for_their_column_are_left_over(read, write):
    write("slice.json", mpd_slice(mpd_playlist(1, [mpd_track(0, duration_ms=2**63), mpd_track(1)])))

    assert read().column("duration_ms") == [None, 200_001]


@pytest.mark.parametrize(
    "bad",
    [
        None,
        "a playlist",
        mpd_playlist(...),
        mpd_playlist(None),
        mpd_playlist(" "),
        mpd_playlist(True),
        mpd_playlist(5, tracks={}),
        mpd_playlist(5, tracks=...),
    ],
)
def test_a_bad_playlist_is_quarantined_and_the_rest_goes_on(read, write, bad):
    write("slice.json", mpd_slice(mpd_playlist(1), bad, mpd_playlist(2)))

    result = read()

    assert [row["playlist_id"] for row in result.playlists] == ["mpd:0-999:1", "mpd:0-999:2"]
    assert result.reasons == {"playlists[1]": "invalid_playlist"}
    (file,) = result.files
    assert (file["record_count"], file["quarantined_count"]) == (2, 1)


def test_the_second_playlist_of_one_pid_is_quarantined_by_name(read, write):
    write("slice.json", mpd_slice(mpd_playlist(1), mpd_playlist("1", tracks=1)))

    result = read()

    assert result.playlist["item_count"] == 2
    assert result.reasons == {"playlists[1]": "duplicate_playlist"}
    assert "mpd:0-999:1" in result.quarantined_inputs[0]["detail"]


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9, 0.999])
def test_nothing_of_a_truncated_slice_is_read(read, write, cut):
    whole = json.dumps(mpd_slice(*map(mpd_playlist, range(20))), indent=4)
    write("cut.json", whole[: int(len(whole) * cut)])
    write("whole.json", mpd_slice(mpd_playlist(1)))

    result = read()

    assert len(result.playlists) == 1
    assert result.reasons == {"": "truncated_json"}
    assert {file["file_path"]: file["file_kind"] for file in result.files} == {
        "cut.json": None,
        "whole.json": "mpd_slice",
    }


def test_a_slice_cut_within_a_character_is_truncated(read, write):
    text = json.dumps(mpd_slice(mpd_playlist(1, name="Ä")), ensure_ascii=False).encode()
    write("cut.json", text[: text.index("Ä".encode()) + 1])

    assert read().reasons == {"": "truncated_json"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"playlists": [}', "invalid_json"),
        (b'{"playlists": []} tail', "invalid_json"),
        (b'{"playlists": ["\xff"]}', "not_utf8"),
        (b"", "empty_file"),
        (b"\xef\xbb\xbf \n", "empty_file"),
        (b'{"tracks": []}', "unknown_format"),
        (b"[1, 2]", "unknown_format"),
        (b'{"playlists": {"a": 1}}', "unknown_format"),
        (b"[" * 100_000, "invalid_json"),
    ],
)
def test_a_file_that_is_no_slice_is_quarantined_whole(read, write, content, reason):
    write("slice.json", content)

    result = read()

    assert result.reasons == {"": reason}
    assert result.files[0]["file_kind"] is None
    assert result.files[0]["quarantined_count"] == 1


def test_what_pythons_json_writes_beyond_the_standard_is_read(read, write):
    playlist = mpd_playlist(1, [mpd_track(0, duration_ms=float("nan"), track_name="half \ud83d pair")])
    write("slice.json", json.dumps(mpd_slice(playlist)))

    result = read()

    assert result.column("duration_ms") == [None]
    assert result.column("track_name") == ["half \N{REPLACEMENT CHARACTER} pair"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_slice_saved_in_another_encoding_with_a_mark_is_read(read, write, encoding):
    write(
        "slice.json",
        json.dumps(mpd_slice(mpd_playlist(1, name="Mañana")), ensure_ascii=False).encode(encoding),
    )

    assert read().playlist["name"] == "Mañana"


def test_the_same_state_in_two_files_has_one_snapshot_and_one_row(read, write):
    playlist = mpd_playlist(1)
    reordered = dict(reversed(playlist.items()))
    write("2017.json", mpd_slice(playlist))
    write("2018.json", json.dumps(mpd_slice(reordered, generated_on="2018-06-01"), indent=4))

    result = read()

    assert len(result.playlists) == 1
    assert len(result.playlist_tracks) == 2
    assert [row["observed_on"] for row in result.playlist_observations] == [
        date(2017, 12, 3),
        date(2018, 6, 1),
    ]
    assert read("2017.json").playlists == read("2018.json").playlists
    assert read("2017.json").playlist_tracks == read("2018.json").playlist_tracks


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Other"},
        {"description": "new"},
        {"collaborative": "true"},
        {"num_followers": 4},
        {"modified_at": 1493424001},
        {"tracks": [mpd_track(1, pos=0), mpd_track(0, pos=1)]},
        {"tracks": [mpd_track(0)]},
        {"tracks": [mpd_track(0), mpd_track(1), None]},
        {"tracks": [mpd_track(0), mpd_track(1, duration_ms=1)]},
        {"tracks": [mpd_track(0), mpd_track(1, extra=1)]},
    ],
)
def test_another_state_has_another_snapshot(read, write, change):
    write("slice.json", mpd_slice(mpd_playlist(1)))
    before = read().playlist["snapshot_id"]
    write("slice.json", mpd_slice(mpd_playlist(1) | change))

    assert read().playlist["snapshot_id"] != before


def test_a_large_slice_comes_in_several_batches(read, write):
    write("slice.json", mpd_slice(*(mpd_playlist(pid, tracks=700) for pid in range(150))))

    result = read()

    sizes = [rows for table, rows in result.batches if table == "playlist_tracks"]
    assert sum(sizes) == 105_000
    assert len(sizes) > 1 and max(sizes) <= 100_000
