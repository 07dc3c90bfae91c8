"""The ground truth files say what the world is."""

import pyarrow.parquet as pq
import pytest


@pytest.fixture(scope="module")
def truth(paths):
    return {path.stem: pq.read_table(path).to_pylist() for path in paths.ground_truth.glob("*.parquet")}


def test_the_mapping_is_the_worlds(world, truth):
    assert [
        (row["msd_track_id"], row["spotify_track_id"], row["relation"], tuple(row["noise"]))
        for row in truth["track_mapping"]
    ] == [(pair.msd_track_id, pair.spotify_track_id, pair.relation, pair.noise) for pair in world.track_pairs]
    for row, pair in zip(truth["track_mapping"], world.track_pairs, strict=True):
        assert (row["is_match"], row["matches_exactly"]) == (pair.is_match, pair.matches_exactly)
    assert len(truth["artist_mapping"]) == len(world.artist_pairs)


def test_each_days_items_can_be_read_back(world, truth):
    items: dict[tuple, list] = {}
    for row in truth["playlist_items"]:
        items.setdefault((row["playlist_id"], row["snapshot_id"]), []).append(row)
    seen = {(row["playlist_id"], row["observed_on"]): row["snapshot_id"] for row in truth["playlist_days"]}
    assert len(seen) == sum(len(playlist.versions) for playlist in world.playlists)
    for playlist in world.playlists:
        for day, version in playlist.versions.items():
            rows = items.get((playlist.playlist_id, seen[playlist.playlist_id, day]), [])
            assert [row["position"] for row in rows] == list(range(len(version.items)))
            assert [(row["kind"], row["uri"], row["added_at"], row["added_by"]) for row in rows] == [
                (item.kind, item.uri, item.added_at, item.added_by) for item in version.items
            ]


def test_every_change_is_told_in_order(world, truth):
    expected = [
        (playlist.playlist_id, sequence, change.day, change.kind, change.item.uri)
        for playlist in world.playlists
        for sequence, change in enumerate(playlist.changes)
    ]
    found = [
        (row["playlist_id"], row["sequence"], row["changed_on"], row["change"], row["uri"])
        for row in truth["playlist_changes"]
    ]
    assert found == expected


def test_a_playlists_file_is_there_if_it_exists_on_the_last_day(world, paths, truth):
    for row in truth["playlists"]:
        if row["last_day"] == world.days[-1]:
            assert (paths.playlist_files / row["file_path"]).is_file()
