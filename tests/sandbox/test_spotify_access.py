"""The imitated API refuses and allows what the real one does, for each kind of app and of token."""

import pytest
import requests

from sandbox.spotify_api import ODD_PLAYLISTS, SPOTIFY_PLAYLIST_IDS, SpotifyApi

KINDS = ("development", "extended", "legacy")


@pytest.fixture(scope="module")
def apis(world):
    apis = {kind: SpotifyApi(world, app=kind) for kind in KINDS}
    for api in apis.values():
        api.start()
    yield apis
    for api in apis.values():
        api.stop()


@pytest.fixture(params=KINDS)
def api(request, apis):
    return apis[request.param]


def get(api, path, token=None, **query):
    headers = {"Authorization": f"Bearer {token or api.user_token()}"}
    return requests.get(api.api_url + path, headers=headers, params=query, timeout=10)


def refusal(answer):
    return answer.status_code, answer.json()["error"]["message"]


def ids(mapping, count):
    return ",".join(list(mapping)[:count])


def playlist_of(world, *, own, collaborative=False):
    return next(
        playlist.playlist_id
        for playlist in world.playlists_on(world.days[-1])
        if (playlist.owner_id == world.account.user_id) == own and playlist.is_collaborative == collaborative
    )


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("tracks?ids={track}", (403, 200, 200)),
        ("artists?ids={artist}", (403, 200, 200)),
        ("albums?ids={album}", (403, 200, 200)),
        ("tracks/{track}", (200, 200, 200)),
        ("artists/{artist}", (200, 200, 200)),
        ("albums/{album}", (200, 200, 200)),
        ("albums/{album}/tracks", (200, 200, 200)),
        ("audio-features?ids={track}", (403, 403, 200)),
        ("audio-features/{track}", (403, 403, 200)),
        ("search?q=the&type=track", (200, 200, 200)),
        ("me", (200, 200, 200)),
        ("me/playlists", (200, 200, 200)),
        ("users/{user}", (403, 200, 200)),
        ("users/{user}/playlists", (403, 200, 200)),
        ("playlists/{own}", (200, 200, 200)),
        ("playlists/{own}/items", (200, 200, 200)),
        ("playlists/{own}/tracks", (403, 200, 200)),
        ("playlists/{other}", (200, 200, 200)),
        ("playlists/{other}/items", (403, 200, 200)),
        ("playlists/{collaborative}/items", (200, 200, 200)),
        ("playlists/{spotify}", (404, 404, 200)),
        ("playlists/{spotify}/items", (404, 404, 200)),
        ("playlists/0000000000000000000000", (404, 404, 404)),
        ("recommendations", (404, 404, 404)),
    ],
)
def test_each_kind_of_app_is_allowed_and_refused_what_the_real_api_says(apis, world, path, expected):
    path = path.format(
        track=ids(world.tracks, 1),
        artist=ids(world.spotify_artists, 1),
        album=ids(world.albums, 1),
        user=list(world.users)[1],
        own=playlist_of(world, own=True),
        other=playlist_of(world, own=False),
        collaborative=playlist_of(world, own=False, collaborative=True),
        spotify=SPOTIFY_PLAYLIST_IDS[0],
    )
    assert tuple(get(apis[kind], path).status_code for kind in KINDS) == expected


def test_names_of_a_playlists_items_depend_on_the_kind_of_app(apis):
    path = f"playlists/{ODD_PLAYLISTS['booleans'].playlist_id}"
    for kind, containers, entries in (
        ("development", {"items"}, {"item"}),
        ("extended", {"tracks", "items"}, {"track", "item"}),
        ("legacy", {"tracks"}, {"track"}),
    ):
        playlist = get(apis[kind], path).json()
        assert playlist.keys() & {"tracks", "items"} == containers
        for container in containers:
            assert playlist[container]["items"][0].keys() & {"track", "item"} == entries
        assert get(apis[kind], path + "/items").json()["items"][0].keys() & {"track", "item"} == entries


def test_other_peoples_playlists_are_metadata_only_in_development_mode(apis, world):
    path = f"playlists/{playlist_of(world, own=False)}"
    metadata, whole = get(apis["development"], path).json(), get(apis["extended"], path).json()
    assert metadata.keys() == whole.keys() - {"items", "tracks"}
    assert metadata["snapshot_id"] == whole["snapshot_id"]
    # Listed, they still say how many items they have.
    listed = get(apis["development"], "me/playlists", limit=50, offset=12).json()["items"]
    assert any(playlist["owner"]["id"] != world.account.user_id for playlist in listed)
    assert all(isinstance(playlist["items"]["total"], int) for playlist in listed)


def test_an_app_without_a_user_gets_the_catalogue_but_nobodys_own_things(api, world):
    token = api.app_token()
    assert get(api, f"tracks/{ids(world.tracks, 1)}", token).status_code == 200
    assert get(api, "search", token, q="the", type="track").status_code == 200
    assert refusal(get(api, "me", token)) == (401, "Valid user authentication required")
    assert refusal(get(api, "me/playlists", token)) == (401, "Valid user authentication required")


def test_in_development_mode_an_app_without_a_user_owns_no_playlist(apis, world):
    api, path = apis["development"], f"playlists/{playlist_of(world, own=True)}"
    assert "items" not in get(api, path, api.app_token()).json()
    assert refusal(get(api, path + "/items", api.app_token())) == (403, "Forbidden")
    api = apis["extended"]
    assert get(api, path + "/items", api.app_token()).json()["total"] > 0


def test_a_missing_a_wrong_and_an_old_token_are_told_apart(api):
    assert refusal(requests.get(api.api_url + "me", timeout=10)) == (401, "No token provided")
    assert refusal(get(api, "me", "wrong")) == (401, "Invalid access token")
    token = api.user_token()
    api.accounts.expire_access_tokens()
    assert refusal(get(api, "me", token)) == (401, "The access token expired")


@pytest.mark.parametrize(("kind", "largest"), [("development", 50), ("extended", 50), ("legacy", 100)])
def test_pages_of_items_have_the_limit_of_the_kind_of_app(apis, kind, largest):
    path = f"playlists/{ODD_PLAYLISTS['looping_next'].playlist_id}/items"
    assert len(get(apis[kind], path, limit=largest).json()["items"]) == largest
    for limit in (largest + 1, 0, -1, "many"):
        assert refusal(get(apis[kind], path, limit=limit)) == (400, "Invalid limit")
    assert refusal(get(apis[kind], path, offset=-1)) == (400, "Invalid offset")


@pytest.mark.parametrize(("kind", "largest"), [("development", 10), ("extended", 50), ("legacy", 50)])
def test_search_has_the_limits_of_the_kind_of_app(apis, kind, largest):
    found = get(apis[kind], "search", q="the", type="track,artist", limit=largest).json()
    assert len(found["tracks"]["items"]) == largest
    assert refusal(get(apis[kind], "search", q="a", type="track", limit=largest + 1)) == (
        400,
        "Invalid limit",
    )
    assert refusal(get(apis[kind], "search", q="a", type="track", offset=1001)) == (400, "Invalid offset")
    assert get(apis[kind], "search", q="", type="track").status_code == 400
    assert get(apis[kind], "search", q="a").status_code == 400
    assert get(apis[kind], "search", q="a", type="hologram").status_code == 400


def test_lists_of_playlists_have_their_limits(api):
    assert refusal(get(api, "me/playlists", limit=51)) == (400, "Invalid limit")
    assert refusal(get(api, "me/playlists", offset=100_001)) == (400, "Invalid offset")
    assert get(api, "me/playlists", offset=100_000).json()["items"] == []


@pytest.mark.parametrize(
    ("path", "largest"), [("tracks", 50), ("artists", 50), ("albums", 20), ("audio-features", 100)]
)
def test_batches_have_their_limits_and_keep_the_order_asked_for(apis, world, path, largest):
    known = {"artists": world.spotify_artists, "albums": world.albums}.get(path, world.tracks)
    wanted = list(reversed(list(known)[: largest + 1]))
    answer = get(apis["legacy"], path, ids=",".join(wanted[:largest])).json()
    assert [thing["id"] for thing in answer[path.replace("-", "_")]] == wanted[:largest]
    too_many = get(apis["legacy"], path, ids=",".join(wanted))
    assert refusal(too_many) == (400, "Too many ids requested")
    assert refusal(get(apis["legacy"], path, ids="short")) == (400, "Invalid base62 id")
    assert get(apis["legacy"], path).status_code == 400


def test_an_unknown_id_is_null_in_a_batch_and_404_alone(apis, world):
    known, unknown = ids(world.tracks, 1), "0" * 22
    tracks = get(apis["extended"], "tracks", ids=f"{unknown},{known}").json()["tracks"]
    assert tracks[0] is None
    assert tracks[1]["id"] == known
    assert get(apis["extended"], f"tracks/{unknown}").status_code == 404
    assert get(apis["extended"], "tracks/short").status_code == 400


def test_an_old_app_can_be_inconsistent(world):
    exceptions = {"/v1/tracks": None, "/v1/artists": 404, "/v1/search": 410}
    with SpotifyApi(world, exceptions=exceptions) as api:
        assert get(api, "tracks", ids=ids(world.tracks, 1)).status_code == 200
        assert get(api, "artists", ids=ids(world.spotify_artists, 1)).status_code == 404
        assert get(api, "albums", ids=ids(world.albums, 1)).status_code == 403
        assert get(api, "search", q="the", type="track").status_code == 410


def test_search_finds_tracks_by_each_filter(apis, world):
    def found(query, kind="track"):
        page = get(apis["extended"], "search", q=query, type=kind, limit=50).json()[f"{kind}s"]
        return [thing["id"] for thing in page["items"]]

    track = next(
        track
        for track in world.tracks.values()
        if track.isrc and track.name and world.spotify_artists[track.artist_ids[0]].genres
    )
    album, artist = world.albums[track.album_id], world.spotify_artists[track.artist_ids[0]]
    year = album.release_date[:4]
    assert track.track_id in found(f"isrc:{track.isrc}")
    assert track.track_id in found(f"track:{track.name} artist:{artist.name}")
    assert track.track_id in found(f'track:"{track.name}" album:"{album.name}" year:{year}')
    assert track.track_id in found(f"track:{track.name} year:1900-2030 genre:{artist.genres[0]}")
    assert track.track_id not in found(f"track:{track.name} year:1900-1901")
    assert track.track_id in found(track.name.upper())
    assert found("track:nothing is called like this") == []
    assert artist.artist_id in found(artist.name, "artist")
    barcode = next(album for album in world.albums.values() if album.upc)
    assert found(f"upc:{barcode.upc}", "album") == [barcode.album_id]


def test_search_reads_a_query_as_spotify_documents_it(apis, world):
    def found(query):
        page = get(apis["extended"], "search", q=query, type="track", limit=50).json()["tracks"]
        return {thing["id"] for thing in page["items"]}

    track = next(
        one
        for one in world.tracks.values()
        if len(set(one.name.split())) == 3
        and one.name.replace(" ", "").isalpha()
        and len(one.artist_ids) == 1
    )
    id_, artist = track.track_id, world.spotify_artists[track.artist_ids[0]].name
    first, second, third = track.name.split()
    # Words in any order, between quotes in theirs; a part of them is enough.
    assert id_ in found(f"track:{third} {first} {second} artist:{artist}")
    assert id_ not in found(f'track:"{third} {first} {second}" artist:"{artist}"')
    assert id_ in found(f'track:"{second} {third}" artist:"{artist}"')
    # A quoted filter ends with its quote: the artist's name is in no title.
    assert id_ in found(f'track:"{first}" {artist}')
    assert id_ not in found(f"track:{first} {artist}")
    # Between quotes nothing is syntax, and what is no letter or digit does not matter.
    assert id_ not in found(f'"track:{first} artist:{artist}"')
    assert id_ in found(f'track:"{first}" - artist:"{artist}"')
    assert found('track:"..."') == set()
    assert id_ not in found(f'track:"{first}" artist:"{artist}" NOT {third}')
    assert id_ in found(f'track:"{first}" artist:"{artist}" NOT nothingofthekind')
    assert refusal(get(apis["extended"], "search", q="a" * 101, type="track")) == (404, "Not found.")
    assert get(apis["extended"], "search", q="a" * 100, type="track").status_code == 200


def test_further_pages_of_a_search_follow_from_its_links(apis):
    api = apis["development"]
    page = get(api, "search", q="the", type="track", limit=10).json()["tracks"]
    seen = [track["id"] for track in page["items"]]
    for _ in range(3):
        page = requests.get(
            page["next"], headers={"Authorization": f"Bearer {api.user_token()}"}, timeout=10
        ).json()["tracks"]
        seen += [track["id"] for track in page["items"]]
    assert len(set(seen)) == 40
    assert page["offset"] == 30


def test_audio_features_agree_with_the_song_that_is_the_same_recording(apis, world):
    pair = next(pair for pair in world.track_pairs if pair.is_match)
    songs = [
        next(song for song in world.songs if song.track_id == other.msd_track_id)
        for other in world.track_pairs
        if other.is_match and other.spotify_track_id == pair.spotify_track_id
    ]
    features = get(apis["legacy"], f"audio-features/{pair.spotify_track_id}").json()
    assert features["tempo"] in [song.tempo for song in songs]
    assert features == get(apis["legacy"], f"audio-features/{pair.spotify_track_id}").json()


def test_only_reading_is_offered(api, world):
    headers = {"Authorization": f"Bearer {api.user_token()}"}
    address = f"{api.api_url}playlists/{playlist_of(world, own=True)}/items"
    for method in ("POST", "PUT", "DELETE"):
        assert requests.request(method, address, headers=headers, timeout=10).status_code == 405
