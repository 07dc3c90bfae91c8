"""What the side files of the Million Song Dataset say of a world: drawn from a generator of its own.

A world without side files is the same world, byte by byte: nothing here draws from its generator.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from random import Random

from sandbox import random_ids
from sandbox.model import Song
from sandbox.world import World

MISMATCHED_SHARE, ACCEPTED_SHARE = 0.03, 0.2
YEAR_ADDED_SHARE = 0.1
"""Of the songs whose file has no year, how many have one in tracks_per_year.txt."""
MUSIXMATCH_SHARE, COVER_SHARE, TAGGED_SHARE, PLAYED_SHARE = 0.7, 0.05, 0.5, 0.4
LOCATED_SHARE = 0.3
"""Of the artists whose song files have no coordinates, how many are in artist_location.txt."""
STRANGER_COUNT = 40
"""Songs that the side files name and the world has no song file of: a subset of the dataset has many."""
LISTENER_COUNT = 120

GENRES = ("Rock", "Pop", "Electronic", "Jazz", "Country", "Reggae", "Latin", "Metal", "Blues", "Folk")
TAGS = ("rock", "favourites", "seen live", "80s", "chillout", "déjà vu", "female vocalists", "under 2000")


@dataclass(frozen=True)
class Stranger:
    """A song that only the side files know."""

    track_id: str
    song_id: str
    artist_id: str
    artist_name: str
    title: str


@dataclass(frozen=True)
class Genre:
    """A label of tagtraum's; the minority genre is '' where there is none."""

    genre: str
    minority_genre: str = ""


@dataclass(frozen=True)
class ReferenceFacts:
    """All that the side files say; keys are track ids but where they say otherwise.

    `mismatched` holds the pairs found to be mismatches, `accepted` those of them that are none.
    A clique begins with the track that stands for it. `listens` are (listener, song id, plays).
    """

    strangers: tuple[Stranger, ...]
    mismatched: tuple[str, ...]
    accepted: frozenset[str]
    cliques: tuple[tuple[str, ...], ...]
    years: dict[str, int]
    locations: dict[str, tuple[float, float]] = field(repr=False)
    genres: dict[str, dict[str, Genre]] = field(repr=False)
    musixmatch_ids: dict[str, int] = field(repr=False)
    works: dict[str, tuple[int, int]] = field(repr=False)
    tags: dict[str, dict[str, float]] = field(repr=False)
    added_terms: dict[str, str] = field(repr=False)
    listens: tuple[tuple[str, str, int], ...] = field(repr=False)


def make_reference_facts(world: World) -> ReferenceFacts:
    """The facts of a world: the same world gives the same."""
    random = Random(f"side files of {world.seed}")
    strangers = tuple(
        Stranger(
            random_ids.msd_track_id(random),
            random_ids.msd_song_id(random),
            random_ids.msd_artist_id(random),
            f"Stranger {number}",
            f"Song without a file {number}",
        )
        for number in range(STRANGER_COUNT)
    )
    tracks = [*(song.track_id for song in world.songs), *(one.track_id for one in strangers)]
    mismatched = _some(random, tracks, MISMATCHED_SHARE)
    artists = {song.artist.artist_id: song.artist for song in world.songs}
    unlocated = [id_ for id_, artist in artists.items() if artist.latitude != artist.latitude]
    return ReferenceFacts(
        strangers=strangers,
        mismatched=tuple(mismatched),
        accepted=frozenset(_some(random, mismatched, ACCEPTED_SHARE)),
        cliques=_cliques(world, strangers),
        years=_years(random, world.songs),
        locations={
            id_: (round(random.uniform(-60, 70), 5), round(random.uniform(-180, 180), 5))
            for id_ in _some(random, unlocated, LOCATED_SHARE)
        },
        genres=_genres(random, tracks),
        musixmatch_ids={
            track: number * 7 + 1000 for number, track in enumerate(_some(random, tracks, MUSIXMATCH_SHARE))
        },
        works={
            track: (number + 1, random.randrange(1, 90_000))
            for number, track in enumerate(_some(random, tracks, COVER_SHARE))
        },
        tags={
            track: {tag: float(random.randint(1, 100)) for tag in random.sample(TAGS, random.randint(1, 4))}
            for track in _some(random, tracks, TAGGED_SHARE)
        },
        added_terms={id_: f"scene {random.randrange(20)}" for id_ in _some(random, list(artists), 0.3)},
        listens=_listens(
            random, [*(song.song_id for song in world.songs), *(one.song_id for one in strangers)]
        ),
    )


def duplicate_of(world: World, facts: ReferenceFacts) -> dict[str, str]:
    """For each song that duplicates another one of the world: the first of its clique that the world has."""
    known = {song.track_id for song in world.songs}
    found = {}
    for clique in facts.cliques:
        first, *others = [track for track in clique if track in known]
        found |= dict.fromkeys(others, first)
    return found


def genre_of(facts: ReferenceFacts, track_id: str) -> tuple[str, Genre] | None:
    """The annotation that a song's genre is taken from, and its label: cd2c before cd1 before cd2."""
    for annotation in ("cd2c", "cd1", "cd2"):
        if track_id in facts.genres[annotation]:
            return annotation, facts.genres[annotation][track_id]
    return None


def _some(random: Random, of: list[str], share: float) -> list[str]:
    return random.sample(of, round(share * len(of)))


def _cliques(world: World, strangers: tuple[Stranger, ...]) -> tuple[tuple[str, ...], ...]:
    """Songs that are one recording; every third clique begins with a stranger."""
    songs_of_track = defaultdict(set)
    for pair in world.track_pairs:
        if pair.is_match:
            songs_of_track[pair.spotify_track_id].add(pair.msd_track_id)
    cliques = sorted({tuple(sorted(songs)) for songs in songs_of_track.values() if len(songs) > 1})
    return tuple(
        (strangers[number].track_id, *clique) if number % 3 == 0 and number < len(strangers) else clique
        for number, clique in enumerate(cliques)
    )


def _years(random: Random, songs: tuple[Song, ...]) -> dict[str, int]:
    unknown = [song.track_id for song in songs if not song.year]
    added = {track: random.randrange(1958, 2011) for track in _some(random, unknown, YEAR_ADDED_SHARE)}
    return {song.track_id: song.year for song in songs if song.year} | added


def _genres(random: Random, tracks: list[str]) -> dict[str, dict[str, Genre]]:
    """Labels of the three annotations: cd2c holds those of cd2 that have no minority genre."""
    cd2 = {}
    for track in _some(random, tracks, 0.3):
        genre, other = random.sample(GENRES, 2)
        cd2[track] = Genre(genre, other if random.random() < 0.3 else "")
    cd1 = {track: Genre(random.choice(GENRES)) for track in _some(random, tracks, 0.2)}
    return {
        "cd1": cd1,
        "cd2": cd2,
        "cd2c": {track: label for track, label in cd2.items() if not label.minority_genre},
    }


def _listens(random: Random, songs: list[str]) -> tuple[tuple[str, str, int], ...]:
    """Each listener's listens together, a song once, as in the published file."""
    played = _some(random, list(dict.fromkeys(songs)), PLAYED_SHARE)  # two tracks may be one song
    return tuple(
        (listener, song, 1 + int(random.expovariate(0.5)))
        for listener in (f"{random.getrandbits(160):040x}" for _ in range(LISTENER_COUNT))
        for song in random.sample(played, random.randint(5, 40))
    )
