"""CSV files of Exportify and its relatives, in the forms that versions and spreadsheets give them."""

import json
from datetime import UTC, date, datetime

import pytest

from tests.ingestion.playlist_files.files import (
    EXPORTIFY_HEADER,
    PLAIN_USER,
    USER,
    WRITTEN_AT,
    csv_row,
    csv_text,
    hash_user,
)

OTHER_EXPORTIFY = (
    "Track URI,Track Name,Album Name,Artist Name(s),Release Date,Duration (ms),Popularity,Explicit,"
    "Added By,Added At,Genres,Record Label,Danceability,Energy"
)


def test_a_csv_is_one_playlist_named_by_its_path(read, write):
    write("2024/road_trip.csv", csv_text(csv_row(0), csv_row(1)))

    result = read()

    assert result.playlist | {"snapshot_id": None} == {
        "playlist_id": "exportify:2024/road_trip",
        "snapshot_id": None,
        "name": "road_trip",
        "description": None,
        "is_collaborative": None,
        "follower_count": None,
        "edit_count": None,
        "declared_track_count": None,
        "item_count": 2,
        "modified_at": None,
        "source_system": "exportify",
        "terms_of_use": "spotify_api",
    }
    assert result.playlist_tracks[1] | {"snapshot_id": None} == {
        "playlist_id": "exportify:2024/road_trip",
        "snapshot_id": None,
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
        "duration_ms": 198_093,
        "isrc": "UK4UP1300002",
        "release_date": "2001-03",
        "popularity": 42,
        "is_explicit": True,
        "added_at": datetime(2020, 7, 19, 9, 24, 39, tzinfo=UTC),
        "added_by_hash": hash_user(PLAIN_USER),
        "other_fields": '{"Disc Number":"1","Track Number":"7"}',
    }
    (observation,) = result.playlist_observations
    assert observation["observed_at"] == WRITTEN_AT
    assert observation["observed_on"] == date(2024, 5, 6)
    assert result.files[0]["file_kind"] == "exportify_csv"


@pytest.mark.parametrize(
    "header",
    [
        "Spotify URI,Track Name,Artist Name,Album Name,Disc Number,Track Number,Track Duration (ms),Added By",
        "Spotify ID,Artist IDs,Track Name,Album Name,Artist Name(s),Release Date,Popularity,Genres",
        "TRACK URI,track name,  Artist   URI(s),ARTIST NAME(S)",
        OTHER_EXPORTIFY,
        "Track-URI,Track-Name,Künstler-URI(s),Künstlername(n),Album-URI,Beliebtheit,Hinzugefügt von",
        "トラックURI,トラック名,アーティストURI,アーティスト名",
        "Track ID,Artist Name(s)",
    ],
)
def test_the_columns_are_told_by_name_in_every_version_and_language(read, write, header):
    columns = header.split(",")
    id_, artist = f"{1:022}", f"{2:022}"
    values = {"uri": f"spotify:track:{id_}", "artist": f"spotify:artist:{artist}"}
    row = [""] * len(columns)
    row[0] = id_ if columns[0].endswith("ID") else values["uri"]
    for index, column in enumerate(columns):
        if column.strip() in ("Artist   URI(s)", "Künstler-URI(s)", "アーティストURI"):
            row[index] = values["artist"]
        if column in ("Artist Name", "Artist Name(s)", "ARTIST NAME(S)", "Künstlername(n)", "アーティスト名"):
            row[index] = "The Band"
    write("list.csv", csv_text(row, header=columns))

    result = read()

    assert result.column("track_uri") == [values["uri"]]
    assert result.column("artist_name") == ["The Band"]
    assert result.column("item_type") == ["track"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_marks_line_ends_and_separators_make_no_difference(read, write, encoding, end, delimiter):
    row = csv_row(0, **{"Track Name": 'Line one\nline "two", and; three', "Album Name": "Mañana"})
    write("list.csv", csv_text(row, end=end, delimiter=delimiter).encode(encoding))

    result = read()

    assert result.column("track_name") == ['Line one\nline "two", and; three']
    assert result.column("album_name") == ["Mañana"]
    assert result.column("added_at") == [datetime(2020, 7, 19, 9, 24, 39, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("uris", "names", "first", "all_names"),
    [
        ("spotify:artist:a", "Tyler, The Creator", "Tyler, The Creator", None),
        ("spotify:artist:a", "Tyler\\, The Creator", "Tyler, The Creator", None),
        ("spotify:artist:a,spotify:artist:b", "Fred Falke,Elohim", "Fred Falke", "Fred Falke,Elohim"),
        ("spotify:artist:a, spotify:artist:b", "KAROL G, Nicki Minaj", "KAROL G", "KAROL G, Nicki Minaj"),
        ("a;b", "Tyler, The Creator;Kali Uchis", "Tyler, The Creator", "Tyler, The Creator;Kali Uchis"),
        (
            "spotify:artist:a, spotify:artist:b",
            "Tyler\\, The Creator, Kali Uchis",
            "Tyler, The Creator",
            "Tyler\\, The Creator, Kali Uchis",
        ),
        # Three parts, two artists: where the first ends is not known.
        (
            "spotify:artist:a, spotify:artist:b",
            "Tyler, The Creator, Kali Uchis",
            "Tyler, The Creator, Kali Uchis",
            "Tyler, The Creator, Kali Uchis",
        ),
        ("", "Fred Falke;Elohim", "Fred Falke", "Fred Falke;Elohim"),
        ("", "Fred Falke,Elohim", "Fred Falke", "Fred Falke,Elohim"),
        ("", "Tyler, The Creator", "Tyler, The Creator", None),
        ("", "10,000 Maniacs", "10,000 Maniacs", None),
        ("", "", None, None),
    ],
)
def test_artist_names_are_split_only_where_that_is_sure(read, write, uris, names, first, all_names):
    row = csv_row(0, **{"Artist URI(s)": uris, "Artist Name(s)": names})
    write("list.csv", csv_text(row))

    result = read()

    assert result.column("artist_name") == [first]
    assert result.column("all_artist_names") == [all_names]
    assert result.column("all_artist_uris") == [
        uris if uris.count("a") and len(uris.split("b")) > 1 else None
    ]


def test_a_header_alone_is_an_empty_playlist(read, write):
    write("empty.csv", csv_text())

    result = read()

    assert result.playlist["item_count"] == 0
    assert len(result.playlist_observations) == 1


def test_rows_of_the_wrong_length_are_quarantined_by_line(read, write):
    long = [*csv_row(2), "one more"]
    split = csv_row(1, **{"Track Name": "two\nlines"})
    write("list.csv", csv_text(csv_row(0), split, '"spotify:track:x","short"', long, "", csv_row(3)))

    result = read()

    assert result.column("track_name") == ["Track 0", "two\nlines", "Track 3"]
    assert result.column("position") == [0, 1, 2]
    assert result.reasons == {"line 5": "bad_row", "line 6": "bad_row"}
    assert result.playlist["item_count"] == 3
    assert result.files[0]["quarantined_count"] == 2


def test_an_unclosed_quote_costs_its_own_line_only(read, write):
    broken = '"spotify:track:x","no end'
    write("list.csv", csv_text(csv_row(0), broken, csv_row(1), csv_row(2)))

    result = read()

    assert result.column("track_name") == ["Track 0", "Track 1", "Track 2"]
    assert result.reasons == {"line 3": "bad_row"}


def test_a_csv_cut_in_its_last_row_keeps_the_rows_before(read, write):
    text = csv_text(csv_row(0), csv_row(1))
    write("list.csv", text[: text.index("Track 1") + 3])

    result = read()

    assert result.column("track_name") == ["Track 0"]
    assert result.reasons == {"line 3": "bad_row"}


def test_a_row_may_lack_columns_at_its_end_that_have_no_home_here(read, write):
    full = "spotify:track:1,A,B,C,2001,1000,5,false,,2024-01-01T00:00:00Z,rock,Label,0.5,0.6"
    short = "spotify:local:C:B:A:200,A,B,C,,1000,0,false,,2024-01-01T00:00:00Z,,"
    write("list.csv", csv_text(full, short, header=OTHER_EXPORTIFY))

    result = read()

    assert result.column("item_type") == ["track", "local"]
    assert result.quarantined_inputs == []


def test_columns_without_a_home_are_kept_as_sorted_json(read, write):
    header = ["Track URI", "Track Name", "zeta", "Alpha", "", "zeta"]
    write("list.csv", csv_text(["spotify:track:1", "T", "1", "é", "x", "2"], header=header))

    assert read().column("other_fields") == ['{"Alpha":"é","column 5":"x","zeta":"1","zeta (6)":"2"}']


def test_text_that_a_column_cannot_hold_is_kept_beside_it(read, write):
    changes = {"Track Duration (ms)": "3:45", "Popularity": "high", "Explicit": "?", "Added At": "yesterday"}
    write("list.csv", csv_text(csv_row(0, **changes)))

    result = read()

    for column in ("duration_ms", "popularity", "is_explicit", "added_at"):
        assert result.column(column) == [None]
    assert changes.items() <= json.loads(result.column("other_fields")[0]).items()


def test_missing_values_however_printed_are_null(read, write):
    names = (
        "Album URI",
        "Album Release Date",
        "Track Duration (ms)",
        "Popularity",
        "ISRC",
        "Added By",
        "Added At",
    )
    write(
        "list.csv",
        csv_text(*(csv_row(0, **dict.fromkeys(names, word)) for word in ("", "null", "undefined"))),
    )

    result = read()

    for column in (
        "album_uri",
        "release_date",
        "duration_ms",
        "popularity",
        "isrc",
        "added_by_hash",
        "added_at",
    ):
        assert result.column(column) == [None, None, None], column
    assert "null" not in "".join(result.column("other_fields"))


def test_episodes_local_files_and_empty_rows_keep_their_places(read, write):
    uris = (f"spotify:episode:{0:022}", "spotify:local:Afrospin::Fate:231", "", "")
    rows = [csv_row(number, **{"Track URI": uri}) for number, uri in enumerate(uris)]
    rows[3] = csv_row(3, **{"Track URI": "", "Track Name": ""})
    write("list.csv", csv_text(*rows))

    assert read().column("item_type") == ["episode", "local", "track", "unavailable"]


@pytest.mark.parametrize(
    "uri", [f"{5:022}", f"https://open.spotify.com/intl-de/track/{5:022}?si=abc", f" spotify:track:{5:022} "]
)
def test_a_track_is_a_uri_however_it_is_named(read, write, uri):
    write("list.csv", csv_text(csv_row(5, **{"Track URI": uri})))

    assert read().column("track_uri") == [f"spotify:track:{5:022}"]


def test_the_same_track_may_stand_in_a_playlist_twice(read, write):
    write("list.csv", csv_text(csv_row(0), csv_row(0)))

    assert len(read().playlist_tracks) == 2


def test_a_playlist_column_names_the_playlist(read, write):
    header = ["Playlist Name", "Track URI", "Track Name"]
    write("list.csv", csv_text(["My List", "spotify:track:1", "T"], header=header))

    result = read()

    assert result.playlist["name"] == "My List"
    assert result.playlist["playlist_id"] == "exportify:list"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("a,b\n1,2\n", "unknown_format"),
        ("Track Name,Artist Name(s)\nT,A\n", "unknown_format"),
        ('"Album URI","Album Name","Album Type"\n', "unknown_format"),
        ("<!DOCTYPE html><html></html>", "unknown_format"),
        (csv_text(csv_row(0, **{"Track Name": "Café"})).encode("latin-1"), "not_utf8"),
        (b"\x00\x01\x02\x03", "unknown_format"),
        (b"", "empty_file"),
    ],
)
def test_a_csv_that_is_no_playlist_is_quarantined_whole(read, write, content, reason):
    write("list.csv", content)

    result = read()

    assert result.reasons == {"": reason}
    assert result.playlists == []


def test_the_same_rows_at_another_place_have_the_same_snapshot(read, write):
    write("a.csv", csv_text(csv_row(0)))
    write("b.csv", csv_text(csv_row(0), end="\r\n"))

    first, second = read().playlists

    assert first["playlist_id"] != second["playlist_id"]
    assert first["snapshot_id"] == second["snapshot_id"]


def test_many_small_files_come_in_few_batches(read, write):
    for number in range(40):
        write(f"{number}.csv", csv_text(csv_row(number)))

    tables = [table for table, _ in read().batches]

    assert tables == ["playlists", "playlist_tracks", "playlist_observations", "files"]


def test_the_header_has_the_columns_of_todays_exporter():
    assert len(EXPORTIFY_HEADER) == len(csv_row(0)) == 19
    assert USER in csv_row(0)[-2]
