"""The music: artists and recordings, told once by the Million Song Dataset and once by Spotify.

A recording is made first, with its true title and credits; then either side describes it in its
own way, and what that way changes is noted as noise. The truth about which song is which track
thus comes out of how they were made, never out of comparing them.
"""

import itertools
import math
import unicodedata
from collections import defaultdict
from dataclasses import dataclass, replace
from random import Random
from typing import NamedTuple

from sandbox import random_ids, words
from sandbox.model import (
    Album,
    Artist,
    ArtistPair,
    ArtistTag,
    ArtistTerm,
    Relation,
    Song,
    SpotifyArtist,
    Track,
    TrackPair,
)

MSD_ARTIST_COUNT = 210
NEAR_EQUAL_ARTIST_COUNT = 10
"""Of the dataset's artists, how many bear almost the name of another one."""
SPOTIFY_ONLY_ARTIST_COUNT = 30
MSD_ONLY_ARTIST_COUNT = 6

MSD_RECORDING_COUNT = 1040
MSD_COVER_COUNT = 30
MSD_LIVE_COUNT = 16
MSD_DUPLICATE_COUNT = 30
"""Recordings that the dataset holds under a second track id, as it really does."""
MSD_ONLY_SHARE = 0.12
"""Share of the dataset's recordings that Spotify does not have."""

SPOTIFY_ONLY_RECORDING_COUNT = 320
SPOTIFY_LIVE_COUNT = 90
SPOTIFY_REMIX_COUNT = 30
SPOTIFY_COVER_COUNT = 50
UNMARKED_LIVE_COUNT = 6
"""Live takes whose title does not say so: only album and duration tell them from the studio take."""
SECOND_RELEASE_SHARE = 0.16
TAKEN_DOWN_COUNT = 3
COMPILATION_VOLUMES = 3
FIRST_YEAR, LAST_YEAR = 1958, 2010


@dataclass
class _Act:
    """An artist as it really is, before either side describes it."""

    name: str
    genre: str
    popularity: int
    near_equal: "_Act | None" = None
    msd: Artist | None = None
    spotify: SpotifyArtist | None = None
    spotify_noise: frozenset[str] = frozenset()


@dataclass
class _Recording:
    """One take of a work, as it really is. Recordings of one work share a title."""

    work: int
    act: _Act
    kind: str  # studio, live or remix
    title: str
    release: str
    year: int
    duration: float
    isrc: str
    guest: _Act | None = None
    msd_noise: frozenset[str] = frozenset()
    is_on_msd: bool = True
    is_on_spotify: bool = True


class Catalogue(NamedTuple):
    """Both sides' music and the truth between them; `genre_of_track` is by Spotify track id."""

    artists: tuple[Artist, ...]
    songs: tuple[Song, ...]
    spotify_artists: tuple[SpotifyArtist, ...]
    albums: tuple[Album, ...]
    tracks: tuple[Track, ...]
    track_pairs: tuple[TrackPair, ...]
    artist_pairs: tuple[ArtistPair, ...]
    genre_of_track: dict[str, str]


def make_catalogue(random: Random) -> Catalogue:
    """The whole catalogue, drawn from `random`."""
    acts = _make_acts(random)
    msd_acts = [act for act in acts if act.msd]
    recordings = _make_recordings(random, acts)
    songs = _make_songs(random, recordings)
    shelf = _Shelf(random)
    tracks = _make_tracks(random, recordings, shelf)
    return Catalogue(
        artists=tuple(act.msd for act in msd_acts),
        songs=tuple(song for song, _ in songs),
        spotify_artists=(*(act.spotify for act in acts if act.spotify), shelf.various_artists),
        albums=shelf.albums(),
        tracks=tuple(track for track, _, _ in tracks),
        track_pairs=_pair_up(songs, tracks),
        artist_pairs=tuple(
            ArtistPair(act.msd.artist_id, act.spotify.artist_id, tuple(sorted(act.spotify_noise)))
            for act in msd_acts
            if act.spotify
        ),
        genre_of_track={track.track_id: recording.act.genre for track, recording, _ in tracks},
    )


# --- artists ---


def _make_acts(random: Random) -> list[_Act]:
    taken: set[str] = set()
    acts = [_new_act(random, name, taken) for name in words.ACCENTED_ARTISTS]
    own_names = MSD_ARTIST_COUNT - NEAR_EQUAL_ARTIST_COUNT + SPOTIFY_ONLY_ARTIST_COUNT
    while len(acts) < own_names:
        name = _artist_name(random)
        if _bare(name) not in taken:
            acts.append(_new_act(random, name, taken))
    random.shuffle(acts)
    on_msd = acts[SPOTIFY_ONLY_ARTIST_COUNT:]
    while len(on_msd) < MSD_ARTIST_COUNT:
        original = random.choice(on_msd)
        if not original.near_equal:
            twin = _new_act(random, _near_equal_name(original.name), taken)
            original.near_equal, twin.near_equal = twin, original
            on_msd.append(twin)
            acts.append(twin)
    msd_only = random.sample([act for act in on_msd if not act.near_equal], MSD_ONLY_ARTIST_COUNT)
    for act in acts:
        if not any(act is other for other in msd_only):
            _put_on_spotify(random, act)
    _put_on_msd(random, on_msd)
    return acts


def _new_act(random: Random, name: str, taken: set[str]) -> _Act:
    taken.add(_bare(name))
    # Squared: a few well-known artists and many obscure ones.
    return _Act(name, random.choice(list(words.GENRES)), popularity=int(85 * random.random() ** 2) + 5)


def _artist_name(random: Random) -> str:
    form = random.choice(
        (
            "The {adjective} {band}",
            "The {noun} {band}",
            "{first} {last}",
            "{first} {last}",
            "{first} & The {band}",
            "{noun} & {noun2}",
            "{adjective} {noun}",
            "{noun} {noun2} {band}",
            "{place} {band}",
        )
    )
    noun, noun2 = random.sample(words.NOUNS, 2)
    return form.format(
        adjective=random.choice(words.ADJECTIVES),
        noun=noun,
        noun2=noun2,
        band=random.choice(words.BAND_NOUNS),
        first=random.choice(words.FIRST_NAMES),
        last=random.choice(words.LAST_NAMES),
        place=random.choice(words.PLACES),
    )


def _near_equal_name(name: str) -> str:
    """Another artist's name that a careless comparison takes for this one."""
    if name.startswith("The "):
        return name.removeprefix("The ")
    if _without_accents(name) != name:
        return _without_accents(name)
    if name.endswith("s"):
        return name[:-1]
    return f"{name}s"


def _put_on_spotify(random: Random, act: _Act) -> None:
    name, noise = act.name, set()
    # An artist with a near-equal one keeps its name: noise would make the two the same.
    draw = 1.0 if act.near_equal else random.random()
    if draw < 0.08 and name.startswith("The "):
        name, label = name.removeprefix("The "), "artist_article"
    elif draw < 0.5 and "&" in name:
        name, label = name.replace("&", "and"), "artist_ampersand"
    elif draw < 0.5 and _without_accents(name) != name:
        name, label = _without_accents(name), "artist_accents"
    elif draw < 0.06:
        name, label = name.upper(), "artist_case"
    else:
        label = None
    if label:
        noise.add(label)
    genres = words.GENRES[act.genre]
    act.spotify_noise = frozenset(noise)
    act.spotify = SpotifyArtist(
        artist_id=random_ids.spotify_id(random),
        name=name,
        genres=tuple(random.sample(genres, random.randrange(0, 4))),
        popularity=act.popularity,
        followers=int(10 ** (1.5 + act.popularity / 20) * (0.5 + random.random())),
    )


def _put_on_msd(random: Random, acts: list[_Act]) -> None:
    ids = [random_ids.msd_artist_id(random) for _ in acts]
    unknown_ids = [random_ids.msd_artist_id(random) for _ in range(150)]
    for act, artist_id in zip(acts, ids, strict=True):
        place, latitude, longitude = random.choice(words.LOCATIONS)
        has_place = random.random() < 0.5
        has_coordinates = has_place and random.random() < 0.7
        terms = random.sample(words.GENRES[act.genre], random.randrange(2, 6))
        terms += random.sample(words.COMMON_TERMS, random.randrange(0, 6))
        similar = [other for other in random.sample(ids, 12) if other != artist_id]
        similar += random.sample(unknown_ids, random.randrange(0, 60))
        tags = (
            random.sample(words.GENRES[act.genre], random.randrange(1, 4)) if random.random() < 0.35 else []
        )
        act.msd = Artist(
            artist_id=artist_id,
            name=act.name,
            mbid="" if random.random() < 0.072 else random_ids.mbid(random),
            location=place if has_place else "",
            latitude=latitude if has_coordinates else math.nan,
            longitude=longitude if has_coordinates else math.nan,
            familiarity=math.nan if random.random() < 0.01 else random.random(),
            hotttnesss=0.0 if random.random() < 0.02 else random.random(),
            sevendigital_id=-1 if random.random() < 0.05 else random.randrange(1, 800_000),
            playme_id=-1 if random.random() < 0.414 else random.randrange(1, 250_000),
            terms=tuple(
                ArtistTerm(term, max(0.0, 1.0 - 0.09 * rank - 0.05 * random.random()), random.random())
                for rank, term in enumerate(terms)
            ),
            similar_artist_ids=tuple(similar),
            mbtags=tuple(ArtistTag(tag, random.randrange(1, 9)) for tag in tags),
        )


# --- recordings ---


def _make_recordings(random: Random, acts: list[_Act]) -> list[_Recording]:
    msd_acts = [act for act in acts if act.msd]
    spotify_acts = [act for act in acts if act.spotify]
    both = [act for act in msd_acts if act.spotify]
    titles = _Titles(random)
    works = itertools.count()
    releases = {id(act): [titles.draw() for _ in range(random.randrange(1, 4))] for act in acts}

    def new_work(act: _Act, **fields) -> _Recording:
        return _record(random, act, next(works), titles.draw(), releases, **fields)

    def new_cover(original: _Recording, act: _Act, **fields) -> _Recording:
        return _record(random, act, original.work, original.title, releases, **fields)

    own_count = MSD_RECORDING_COUNT - MSD_COVER_COUNT - MSD_LIVE_COUNT
    owners = [act for act in msd_acts for _ in range(2)]
    weights = [8 + act.popularity for act in msd_acts]
    owners += random.choices(msd_acts, weights, k=own_count - len(owners))
    studio = [
        new_work(act, is_on_spotify=bool(act.spotify) and random.random() >= MSD_ONLY_SHARE) for act in owners
    ]
    for recording in studio:
        recording.guest = _guest(random, recording, both)
        recording.msd_noise = _msd_noise(random, recording)

    recordings = list(studio)
    # A title shared by two artists of almost the same name is the hardest case of a cover.
    for twin in acts[-NEAR_EQUAL_ARTIST_COUNT:]:
        original = random.choice([recording for recording in studio if recording.act is twin.near_equal])
        recordings.append(new_cover(original, twin))
    originals = iter(random.sample(studio, MSD_COVER_COUNT + MSD_LIVE_COUNT))
    while len(recordings) < own_count + MSD_COVER_COUNT:
        original = next(originals)
        act = random.choice([act for act in both if act is not original.act])
        recordings.append(new_cover(original, act))
    while len(recordings) < MSD_RECORDING_COUNT:
        recordings.append(_live(random, next(originals)))

    recordings += [
        new_work(random.choice(spotify_acts), is_on_msd=False) for _ in range(SPOTIFY_ONLY_RECORDING_COUNT)
    ]
    famous = [recording for recording in studio if recording.is_on_spotify]
    famous = random.sample(famous, SPOTIFY_LIVE_COUNT + SPOTIFY_REMIX_COUNT + SPOTIFY_COVER_COUNT)
    for number, original in enumerate(famous):
        if number < SPOTIFY_LIVE_COUNT:
            version = replace(_live(random, original), is_on_msd=False)
            if number < UNMARKED_LIVE_COUNT:
                version.kind, version.title = "unmarked live", original.title
        elif number < SPOTIFY_LIVE_COUNT + SPOTIFY_REMIX_COUNT:
            version = replace(
                original,
                kind="remix",
                title=f"{original.title} - {random.choice(words.LAST_NAMES)} Remix",
                duration=round(original.duration * (1.1 + 0.5 * random.random()), 5),
                isrc=random_ids.isrc(random, original.year + 1),
                guest=None,
                msd_noise=frozenset(),
                is_on_msd=False,
            )
        else:
            act = random.choice([act for act in spotify_acts if act is not original.act])
            version = new_cover(original, act, is_on_msd=False)
        recordings.append(version)
    return recordings


def _record(
    random: Random, act: _Act, work: int, title: str, releases: dict[int, list[str]], **fields
) -> _Recording:
    year = random.randrange(FIRST_YEAR, LAST_YEAR + 1)
    return _Recording(
        work=work,
        act=act,
        kind="studio",
        title=title,
        release=random.choice(releases[id(act)]),
        year=year,
        duration=round(min(900.0, random.lognormvariate(5.4, 0.3)), 5),
        isrc=random_ids.isrc(random, year),
        **fields,
    )


def _live(random: Random, studio: _Recording) -> _Recording:
    year = min(LAST_YEAR, studio.year + random.randrange(1, 6))
    return replace(
        studio,
        kind="live",
        title=f"{studio.title} (Live)",
        release=f"Live in {random.choice(words.PLACES)}",
        year=year,
        # At least four seconds from the studio take, so that a duration can tell them apart.
        duration=round(studio.duration * (1.05 + 0.3 * random.random()) + 4, 5),
        isrc=random_ids.isrc(random, year),
        guest=None,
        msd_noise=frozenset(),
    )


def _guest(random: Random, recording: _Recording, acts: list[_Act]) -> _Act | None:
    if not recording.is_on_spotify or random.random() >= 0.08:
        return None
    return random.choice([act for act in acts if act is not recording.act])


def _msd_noise(random: Random, recording: _Recording) -> frozenset[str]:
    """What the dataset says differently from what is true."""
    if recording.guest and random.random() < 0.4:
        return frozenset({"artist_feat"})
    if _without_accents(recording.title) != recording.title and random.random() < 0.4:
        return frozenset({"accents"})
    if random.random() < 0.04:
        return frozenset({"album_version"})
    return frozenset()


class _Titles:
    """Draws titles, none twice even without case, accents and punctuation."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._taken: set[str] = set()
        self._foreign_script = list(words.FOREIGN_SCRIPT_TITLES)

    def draw(self) -> str:
        """A title not drawn before."""
        if self._foreign_script and self._random.random() < 0.01:
            return self._foreign_script.pop()
        while True:
            title = self._compose()
            if _bare(title) not in self._taken:
                self._taken.add(_bare(title))
                return title

    def _compose(self) -> str:
        random = self._random
        forms = (
            "{adjective} {noun}",
            "{noun} in {place}",
            "{verb} the {noun}",
            "Don't {verb} the {noun}",
            "{name}'s {noun}",
            "{noun} of the {adjective} {noun2}",
            "The {adjective} {noun}",
            "{noun}, {noun2}",
            "When the {noun} Met the {noun2}",
            "{verb} Me, {name}",
            "{adjective} {noun} Blues",
            "{noun} No. {number}",
        )
        form = random.choice(words.ACCENTED_TITLES if random.random() < 0.06 else forms)
        noun, noun2 = random.sample(words.NOUNS, 2)
        return form.format(
            adjective=random.choice(words.ADJECTIVES),
            noun=noun,
            noun2=noun2,
            verb=random.choice(words.VERBS),
            place=random.choice(words.PLACES),
            name=random.choice(words.FIRST_NAMES),
            number=random.randrange(2, 10),
        )


# --- the dataset's side ---


def _make_songs(random: Random, recordings: list[_Recording]) -> list[tuple[Song, _Recording]]:
    on_msd = [recording for recording in recordings if recording.is_on_msd]
    songs = [(_describe_on_msd(random, recording), recording) for recording in on_msd]
    for song, recording in random.sample(songs, MSD_DUPLICATE_COUNT):
        again = _describe_on_msd(random, recording)
        if random.random() < 0.5:
            again = replace(again, song_id=song.song_id)
        songs.append((replace(again, release=f"The Best of {recording.act.name}"), recording))
    return songs


def _describe_on_msd(random: Random, recording: _Recording) -> Song:
    title, credit = recording.title, recording.act.name
    if "artist_feat" in recording.msd_noise:
        credit += random.choice((" feat. ", " featuring ", " / ")) + recording.guest.name
    if "accents" in recording.msd_noise:
        title = _without_accents(title)
    if "album_version" in recording.msd_noise:
        title += random.choice((" (Album Version)", " (LP Version)"))
    duration = recording.duration
    meter = 0 if random.random() < 0.003 else random.choices((4, 3, 1, 5, 7), weights=(70, 14, 10, 4, 2))[0]
    hotness = random.random()
    return Song(
        track_id=random_ids.msd_track_id(random),
        song_id=random_ids.msd_song_id(random),
        title=title,
        release=recording.release,
        artist=recording.act.msd,
        artist_name=credit,
        year=0 if random.random() < 0.532 else recording.year,
        song_hotttnesss=math.nan if hotness < 0.435 else 0.0 if hotness < 0.578 else random.random(),
        track_7digitalid=random.randrange(1, 9_000_000),
        release_7digitalid=random.randrange(1, 900_000),
        audio_md5=random_ids.md5(random),
        duration=duration,
        end_of_fade_in=0.0 if random.random() < 0.3 else round(3 * random.random(), 3),
        start_of_fade_out=round(duration * (0.95 + 0.05 * random.random()), 3),
        tempo=0.0 if random.random() < 0.0025 else round(random.triangular(55, 220, 115), 3),
        loudness=round(random.triangular(-35, -2, -8), 3),
        key=random.randrange(12),
        key_confidence=round(random.random(), 3),
        mode=int(random.random() < 0.69),
        mode_confidence=round(random.random(), 3),
        time_signature=meter,
        time_signature_confidence=round(random.random(), 3),
    )


# --- Spotify's side ---


class _Shelf:
    """The albums, made when a track first asks for them."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._albums: dict[tuple, Album] = {}
        self.various_artists = SpotifyArtist(random_ids.spotify_id(random), "Various Artists", (), 0, 0)

    def place(
        self, name: str, artist: SpotifyArtist, year: int, album_type: str = "album"
    ) -> tuple[str, int]:
        """The id of the album of that name, and the number of the next track on it."""
        key = (artist.artist_id, name)
        album = self._albums.get(key) or self._new_album(name, artist, year, album_type)
        album = replace(album, total_tracks=album.total_tracks + 1)
        self._albums[key] = album
        return album.album_id, album.total_tracks

    def place_taken_down(self, artist: SpotifyArtist) -> tuple[str, int]:
        """The same for a track whose album Spotify no longer shows."""
        album = self._new_album("", artist, 0, "album")
        album = replace(album, release_date="0000", release_date_precision="year", total_tracks=1, upc=None)
        self._albums[artist.artist_id, album.album_id] = album
        return album.album_id, 1

    def albums(self) -> tuple[Album, ...]:
        """All albums, in the order in which they were first asked for."""
        return tuple(self._albums.values())

    def _new_album(self, name: str, artist: SpotifyArtist, year: int, album_type: str) -> Album:
        random = self._random
        precision = random.choices(("day", "month", "year"), weights=(75, 5, 20))[0]
        released = f"{year:04d}-{random.randrange(1, 13):02d}-{random.randrange(1, 29):02d}"
        return Album(
            album_id=random_ids.spotify_id(random),
            name=name,
            album_type=album_type,
            artist_ids=(artist.artist_id,),
            release_date=released[: {"day": 10, "month": 7, "year": 4}[precision]],
            release_date_precision=precision,
            total_tracks=0,
            upc=None if random.random() < 0.05 else random_ids.upc(random),
            label=random.choice(words.LABELS),
            markets=words.MARKETS[0],
        )


def _make_tracks(
    random: Random, recordings: list[_Recording], shelf: _Shelf
) -> list[tuple[Track, _Recording, frozenset[str]]]:
    """Each track with the recording it is and the noise that Spotify's description adds."""
    tracks = []
    on_spotify = [recording for recording in recordings if recording.is_on_spotify]
    for recording in on_spotify:
        first, noise = _describe_on_spotify(random, recording, shelf)
        tracks.append((first, recording, noise))
        if random.random() < SECOND_RELEASE_SHARE:
            tracks.append((*_release_again(random, first, recording, noise, shelf),))
    for _ in range(TAKEN_DOWN_COUNT):
        recording = random.choice([r for r in on_spotify if not r.is_on_msd and r.kind == "studio"])
        album_id, number = shelf.place_taken_down(recording.act.spotify)
        gone = Track(
            track_id=random_ids.spotify_id(random),
            name="",
            artist_ids=(recording.act.spotify.artist_id,),
            album_id=album_id,
            duration_ms=0,
            isrc=None,
            is_explicit=False,
            disc_number=1,
            track_number=number,
            popularity=0,
            markets=words.MARKETS[-1],
        )
        # A recording of its own: nobody can say any more what it was.
        tracks.append((gone, replace(recording, work=-1), frozenset()))
    return tracks


def _describe_on_spotify(
    random: Random, recording: _Recording, shelf: _Shelf
) -> tuple[Track, frozenset[str]]:
    act, guest = recording.act, recording.guest
    album, year = recording.release, recording.year
    title, noise = _spotify_title(random, recording)
    if "remastered" in noise:
        year, album = 2011, f"{album} (Remastered)"
    album_id, number = shelf.place(album, act.spotify, year)
    extra = set()
    if random.random() < 0.08:
        extra.add("duration")
        shift_ms = random.choice((-1, 1)) * random.randrange(1000, 2001)
    else:
        shift_ms = random.randrange(-400, 401)
    if random.random() < 0.08:
        extra.add("missing_isrc")
    track = Track(
        track_id=random_ids.spotify_id(random),
        name=title,
        artist_ids=(act.spotify.artist_id, guest.spotify.artist_id) if guest else (act.spotify.artist_id,),
        album_id=album_id,
        duration_ms=round(recording.duration * 1000) + shift_ms,
        isrc=None if "missing_isrc" in extra else recording.isrc,
        is_explicit=random.random() < 0.08,
        disc_number=1,
        track_number=number,
        popularity=max(0, min(100, act.popularity + random.randrange(-12, 6))),
        markets=random.choices(words.MARKETS, weights=(80, 5, 8, 4, 3))[0],
    )
    return track, noise | act.spotify_noise | extra


def _spotify_title(random: Random, recording: _Recording) -> tuple[str, frozenset[str]]:
    """The title as Spotify shows it, and the labels of what that changes."""
    title = recording.title
    if recording.kind == "live":
        studio_title = title.removesuffix(" (Live)")
        place = recording.release.removeprefix("Live in ")
        form = random.choice((" - Live", " - Live at {place}", " - Live in {place} / {year}"))
        label = "punctuation" if form == " - Live" else "live_wording"
        return studio_title + form.format(place=place, year=recording.year), frozenset({label})
    if recording.kind != "studio":
        return title, frozenset()
    if recording.guest and "artist_feat" not in recording.msd_noise:
        form = random.choice((" (feat. {})", " (with {})", " - feat. {}"))
        return title + form.format(recording.guest.name), frozenset({"feat"})
    draw = random.random()
    if _without_accents(title) != title and not recording.msd_noise and draw < 0.4:
        return _without_accents(title), frozenset({"accents"})
    noisy, label = title, ""
    if draw < 0.10:
        noisy, label = random.choice((title.upper(), title.lower())), "case"
    elif draw < 0.20:
        noisy, label = _punctuated_otherwise(random, title), "punctuation"
    elif draw < 0.30:
        noisy, label = title + random.choice(words.REMASTER_FORMS), "remastered"
    elif draw < 0.34:
        noisy, label = _misspelt(title), "spelling"
    elif draw < 0.38:
        noisy, label = f'{title} (From "{random.choice(words.PLACES)} Nights")', "subtitle"
    # A script without case stays as it is, and then there is no noise to tell of.
    return noisy, frozenset({label}) if noisy != title else frozenset()


def _release_again(
    random: Random, first: Track, recording: _Recording, noise: frozenset[str], shelf: _Shelf
) -> tuple[Track, _Recording, frozenset[str]]:
    """The same recording once more, on another album under another id."""
    spotify, year = recording.act.spotify, recording.year + random.randrange(1, 12)
    draw = random.random()
    if draw < 0.4:
        decade = recording.year // 10 % 10
        name = f"Sounds of the {decade}0s, Vol. {random.randrange(1, COMPILATION_VOLUMES + 1)}"
        place = shelf.place(name, shelf.various_artists, 2012, "compilation")
    elif draw < 0.75:
        place = shelf.place(f"{recording.release} (Deluxe Edition)", spotify, year)
    else:
        place = shelf.place(recording.title, spotify, recording.year, "single")
    track = replace(
        first,
        track_id=random_ids.spotify_id(random),
        album_id=place[0],
        track_number=place[1],
        popularity=first.popularity // 2,
        duration_ms=first.duration_ms + random.randrange(-90, 91),
    )
    return track, recording, noise | {"rerelease"}


# --- the truth between them ---


def _pair_up(
    songs: list[tuple[Song, _Recording]], tracks: list[tuple[Track, _Recording, frozenset[str]]]
) -> tuple[TrackPair, ...]:
    """Every song with every track of its work: the same recording, or one it could be taken for."""
    tracks_by_work = defaultdict(list)
    for track, recording, noise in tracks:
        tracks_by_work[recording.work].append((track, recording, noise))
    return tuple(
        TrackPair(
            song.track_id,
            track.track_id,
            _relation(song_recording, track_recording),
            # What both sides leave out alike is no difference.
            tuple(sorted(song_recording.msd_noise ^ noise)),
        )
        for song, song_recording in songs
        for track, track_recording, noise in tracks_by_work[song_recording.work]
    )


def _relation(one: _Recording, other: _Recording) -> Relation:
    if one is other:
        return "same_recording"
    if one.act is not other.act:
        return "cover"
    if "live" in one.kind or "live" in other.kind:
        return "live"
    return "remix"


# --- text ---


def _without_accents(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    plain = "".join(character for character in decomposed if not unicodedata.combining(character))
    return plain.translate(str.maketrans("øØłŁþÞ", "oOlLtT"))


def _bare(text: str) -> str:
    """Letters and digits only, without case, accents, articles and ampersands."""
    text = _without_accents(text).casefold().replace("&", "and")
    return "".join(character for character in text.removeprefix("the ") if character.isalnum())


def _punctuated_otherwise(random: Random, title: str) -> str:
    if "'" in title:
        return title.replace("'", "\u2019")
    if ", " in title:
        return title.replace(", ", " ")
    return title + random.choice(("!", "...", "?"))


def _misspelt(title: str) -> str:
    """The title with two neighbouring letters of its longest word exchanged."""
    word = max(title.split(), key=len)
    for index in range(1, len(word) - 2):
        if word[index] != word[index + 1]:
            exchanged = word[:index] + word[index + 1] + word[index] + word[index + 2 :]
            return title.replace(word, exchanged, 1)
    return title
