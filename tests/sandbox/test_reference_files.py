"""The side files: in the forms of their publishers, of every kind, and saying what the ground truth says."""

import io
import re
import sqlite3
import zipfile

import pyarrow.parquet as pq
import pytest

from sandbox import generate_world
from sandbox.reference_facts import make_reference_facts


@pytest.fixture(scope="module")
def folder(paths):
    return paths.reference_files


@pytest.fixture(scope="module")
def facts(world):
    return make_reference_facts(world)


@pytest.fixture(scope="module")
def truth(paths):
    rows = pq.read_table(paths.ground_truth / "reference_songs.parquet").to_pylist()
    return {row["msd_track_id"]: row for row in rows}


def lines(folder, name):
    return (folder / name).read_text("utf-8").splitlines()


def fields(folder, name):
    return [line.split("<SEP>") for line in lines(folder, name) if not line.startswith("#")]


def rows(folder, name, sql):
    connection = sqlite3.connect(folder / name)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def test_the_same_world_has_the_same_facts(world, facts):
    assert repr(make_reference_facts(generate_world(world.seed))) == repr(facts)


def test_every_song_is_listed_and_some_that_have_no_file(world, folder, facts):
    listed = {
        track: (song, artist, title) for track, song, artist, title in fields(folder, "unique_tracks.txt")
    }
    for song in world.songs:
        assert listed.pop(song.track_id) == (song.song_id, song.artist_name, song.title)
    assert listed.keys() == {one.track_id for one in facts.strangers}
    assert len(rows(folder, "track_metadata.db", "select * from songs")) == len(world.songs) + len(listed)


def test_mismatches_are_those_listed_without_those_accepted(folder, truth):
    pair = re.compile(r"ERROR: <(SO\w{16}) (TR\w{16})> .*  !=  ")
    listed = {pair.match(line)[2] for line in lines(folder, "sid_mismatches.txt")}
    accepted = [line for line in lines(folder, "sid_matches_manually_accepted.txt") if line.startswith("< ")]
    accepted = {pair.match(line.removeprefix("< "))[2] for line in accepted}
    assert accepted and accepted < listed
    expected = {track for track, row in truth.items() if row["is_mismatched"]}
    assert expected == (listed - accepted) & truth.keys()


def test_duplicates_are_all_but_the_first_known_track_of_each_clique(folder, truth):
    cliques = []
    for line in lines(folder, "msd_duplicates.txt"):
        if line.startswith("%"):
            cliques.append([])
        elif not line.startswith("#"):
            cliques[-1].append(line)
    known = [[track for track in clique if track in truth] for clique in cliques]
    expected = {track: clique[0] for clique in known for track in clique[1:]}
    found = {track: row["duplicate_of_msd_track_id"] for track, row in truth.items()}
    assert {track: of for track, of in found.items() if of} == expected
    assert any(clique[0] not in truth for clique in cliques), "some cliques begin with a song without a file"


def test_plays_are_those_of_the_listens(world, folder, truth):
    with zipfile.ZipFile(folder / "train_triplets.txt.zip") as archive:
        text = io.TextIOWrapper(archive.open("train_triplets.txt"), "utf-8").read()
    counts = {}
    for line in text.splitlines():
        _, song, plays = line.split("\t")
        counts.setdefault(song, []).append(int(plays))
    for song in world.songs:
        row, plays = truth[song.track_id], counts.get(song.song_id, [])
        assert (row["play_count"], row["listener_count"]) == (sum(plays), len(plays))


def test_years_are_the_files_and_some_more(world, folder, truth):
    listed = {track: int(year) for year, track, *_ in fields(folder, "tracks_per_year.txt")}
    assert {track: row["release_year"] for track, row in truth.items() if row["release_year"]} == listed
    added = [song for song in world.songs if not song.year and song.track_id in listed]
    assert added
    assert all(listed[song.track_id] == song.year for song in world.songs if song.year)


def test_genres_come_from_the_surest_annotation(folder, truth):
    labels = {}
    for annotation in ("cd2", "cd1", "cd2c"):
        for line in lines(folder, f"msd_tagtraum_{annotation}.cls"):
            if not line.startswith("#"):
                track, genre, *minority = line.split("\t")
                labels[track] = (f"tagtraum_{annotation}", genre, minority[0] if minority else None)
    for track, row in truth.items():
        found = (row["genre_source"], row["genre"], row["minority_genre"])
        assert found == labels.get(track, (None, None, None))
    assert {source for source, *_ in labels.values()} == {"tagtraum_cd1", "tagtraum_cd2", "tagtraum_cd2c"}


def test_the_databases_refer_to_rows_that_are_there(folder):
    tags = (
        "from tid_tag left join tids on tids.rowid = tid_tag.tid left join tags on tags.rowid = tid_tag.tag"
    )
    assert rows(
        folder, "lastfm_tags.db", f"select count(*) {tags} where tids.tid is null or tags.tag is null"
    ) == [(0,)]
    assert rows(folder, "lastfm_tags.db", "select count(*) > 500 from tid_tag") == [(1,)]
    similar = "select count(*) > 0 from similarity join artists on artist_id = target"
    assert rows(folder, "artist_similarity.db", similar) == [(1,)]
    assert rows(folder, "artist_term.db", "select count(*) > 0 from artist_term natural join artists") == [
        (1,)
    ]
