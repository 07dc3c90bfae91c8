"""What the sandbox's world is made of: records only, no generation and no files.

Two sides describe the same music: the Million Song Dataset's (`Artist`, `Song`) and Spotify's
(`SpotifyArtist`, `Album`, `Track`). `TrackPair` is the truth about how they belong together,
`Playlist` the truth about what listeners did.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, NamedTuple

FileKind = Literal["mpd", "exportify", "account"]
ItemKind = Literal["track", "episode", "local", "unavailable"]
ChangeKind = Literal["added", "removed", "moved"]
Relation = Literal["same_recording", "live", "remix", "cover"]

HARMLESS_NOISE = frozenset({"case", "artist_case", "punctuation", "duration", "missing_isrc", "rerelease"})
"""Labels that leave title and first artist equal once case and punctuation are ignored."""


class ArtistTerm(NamedTuple):
    """An Echo Nest term of an artist; weight and frequency lie in 0..1."""

    term: str
    weight: float
    frequency: float


class ArtistTag(NamedTuple):
    """A MusicBrainz tag of an artist and how many people gave it."""

    tag: str
    count: int


@dataclass(frozen=True, slots=True)
class Artist:
    """An artist as the Million Song Dataset knows it; missing is '', NaN or -1, as in its files."""

    artist_id: str
    name: str
    mbid: str
    location: str
    latitude: float
    longitude: float
    familiarity: float
    hotttnesss: float
    sevendigital_id: int
    playme_id: int
    terms: tuple[ArtistTerm, ...]
    similar_artist_ids: tuple[str, ...]
    mbtags: tuple[ArtistTag, ...]


@dataclass(frozen=True, slots=True)
class Song:
    """A song as its file in the Million Song Dataset describes it.

    `artist_name` is the credit on this song ("A feat. B"), `artist.name` the artist's own name.
    Durations and fades in seconds, tempo in beats per minute, loudness in dB.
    """

    track_id: str
    song_id: str
    title: str
    release: str
    artist: Artist
    artist_name: str
    year: int
    song_hotttnesss: float
    track_7digitalid: int
    release_7digitalid: int
    audio_md5: str
    duration: float
    end_of_fade_in: float
    start_of_fade_out: float
    tempo: float
    loudness: float
    key: int
    key_confidence: float
    mode: int
    mode_confidence: float
    time_signature: int
    time_signature_confidence: float

    def columns(self) -> dict[str, str | int | float]:
        """Every scalar of the song's file under its column name, except the `idx_*` columns (all 0)."""
        return {
            "analyzer_version": "",
            "artist_7digitalid": self.artist.sevendigital_id,
            "artist_familiarity": self.artist.familiarity,
            "artist_hotttnesss": self.artist.hotttnesss,
            "artist_id": self.artist.artist_id,
            "artist_latitude": self.artist.latitude,
            "artist_location": self.artist.location,
            "artist_longitude": self.artist.longitude,
            "artist_mbid": self.artist.mbid,
            "artist_name": self.artist_name,
            "artist_playmeid": self.artist.playme_id,
            "genre": "",
            "release": self.release,
            "release_7digitalid": self.release_7digitalid,
            "song_hotttnesss": self.song_hotttnesss,
            "song_id": self.song_id,
            "title": self.title,
            "track_7digitalid": self.track_7digitalid,
            "analysis_sample_rate": 22050,
            "audio_md5": self.audio_md5,
            "danceability": 0.0,
            "duration": self.duration,
            "end_of_fade_in": self.end_of_fade_in,
            "energy": 0.0,
            "key": self.key,
            "key_confidence": self.key_confidence,
            "loudness": self.loudness,
            "mode": self.mode,
            "mode_confidence": self.mode_confidence,
            "start_of_fade_out": self.start_of_fade_out,
            "tempo": self.tempo,
            "time_signature": self.time_signature,
            "time_signature_confidence": self.time_signature_confidence,
            "track_id": self.track_id,
            "year": self.year,
        }


@dataclass(frozen=True, slots=True)
class SpotifyArtist:
    """An artist on Spotify; popularity 0..100."""

    artist_id: str
    name: str
    genres: tuple[str, ...]
    popularity: int
    followers: int


@dataclass(frozen=True, slots=True)
class Album:
    """An album on Spotify. `release_date` has the precision it names: 1994, 1994-05 or 1994-05-31."""

    album_id: str
    name: str
    album_type: Literal["album", "single", "compilation"]
    artist_ids: tuple[str, ...]
    release_date: str
    release_date_precision: Literal["year", "month", "day"]
    total_tracks: int
    upc: str | None
    label: str
    markets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Track:
    """A track on Spotify, on one album; the first artist is the main one. Popularity 0..100."""

    track_id: str
    name: str
    artist_ids: tuple[str, ...]
    album_id: str
    duration_ms: int
    isrc: str | None
    is_explicit: bool
    disc_number: int
    track_number: int
    popularity: int
    markets: tuple[str, ...]

    @property
    def uri(self) -> str:
        """`spotify:track:<id>`."""
        return f"spotify:track:{self.track_id}"


@dataclass(frozen=True, slots=True)
class Episode:
    """A podcast episode; it has a show where a track has artists and an album."""

    episode_id: str
    name: str
    show_name: str
    duration_ms: int

    @property
    def uri(self) -> str:
        """`spotify:episode:<id>`."""
        return f"spotify:episode:{self.episode_id}"


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file on the listener's own disk, known to Spotify by its tags only."""

    uri: str
    name: str
    artist_name: str
    album_name: str
    duration_ms: int


@dataclass(frozen=True, slots=True)
class User:
    """A listener; not all have chosen a display name."""

    user_id: str
    display_name: str | None


@dataclass(frozen=True, slots=True)
class TrackPair:
    """A song of the dataset and a Spotify track that are, or could be taken for, the same.

    `relation` is `same_recording` for a true match: the same take, whatever the release (remasters,
    re-releases and compilations included). A live take, a remix and another artist's cover of the
    same song are not matches. `noise` names, in alphabetical order, what differs.
    """

    msd_track_id: str
    spotify_track_id: str
    relation: Relation
    noise: tuple[str, ...]

    @property
    def is_match(self) -> bool:
        """Whether both are the same recording."""
        return self.relation == "same_recording"

    @property
    def matches_exactly(self) -> bool:
        """Whether title and first artist are equal once case and punctuation are ignored."""
        return self.is_match and HARMLESS_NOISE.issuperset(self.noise)


@dataclass(frozen=True, slots=True)
class ArtistPair:
    """An artist of the dataset and the same artist on Spotify."""

    msd_artist_id: str
    spotify_artist_id: str
    noise: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlaylistItem:
    """One place in a playlist. `uri` is None where Spotify no longer says what was there.

    `added_at` (UTC) and `added_by` (a user id) are None, or 1970 and '', where Spotify lost them.
    """

    kind: ItemKind
    uri: str | None
    added_at: datetime | None
    added_by: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """One edit of a playlist's items, in terms of the positions (from 0) right before it.

    added: the item is inserted at `to_position`; removed: the item at `from_position` goes;
    moved: it is taken out at `from_position`, then inserted at `to_position`.
    """

    day: date
    kind: ChangeKind
    item: PlaylistItem
    from_position: int | None
    to_position: int | None


@dataclass(frozen=True, slots=True)
class PlaylistVersion:
    """A playlist between two edits: everything that its snapshot id stands for."""

    snapshot_id: str
    modified_at: datetime
    name: str
    description: str
    has_cover: bool
    items: tuple[PlaylistItem, ...]


@dataclass(frozen=True, slots=True)
class Playlist:
    """A playlist over the world's days.

    `versions` gives the version at the end of each day; a day on which the playlist did not exist
    is absent. `changes` leads from each day's items to the next one's; a playlist's first items
    are not changes. `follower_counts` has the same days as `versions`. `file_number` counts the
    playlists of one `file_kind` from 0 and is the pid of a Million Playlist Dataset slice.
    """

    playlist_id: str
    owner_id: str
    is_collaborative: bool
    is_public: bool
    file_kind: FileKind
    file_number: int
    versions: dict[date, PlaylistVersion] = field(hash=False)
    follower_counts: dict[date, int] = field(hash=False)
    changes: tuple[Change, ...]


def apply_changes(items: Sequence[PlaylistItem], changes: Sequence[Change]) -> tuple[PlaylistItem, ...]:
    """The items after the changes, applied one after the other."""
    result = list(items)
    for change in changes:
        if change.from_position is not None:
            del result[change.from_position]
        if change.to_position is not None:
            result.insert(change.to_position, change.item)
    return tuple(result)
