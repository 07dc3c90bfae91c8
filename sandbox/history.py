"""The listeners: their playlists, and ten days of additions, removals and moves in them."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import NamedTuple

from sandbox import random_ids, words
from sandbox.catalogue import Catalogue
from sandbox.model import (
    Change,
    Episode,
    FileKind,
    LocalFile,
    Playlist,
    PlaylistItem,
    PlaylistVersion,
    Track,
    User,
    apply_changes,
)

DAYS = tuple(date(2026, 1, 5) + timedelta(days=number) for number in range(10))
LASTING_PLAYLISTS: dict[FileKind, int] = {"mpd": 200, "exportify": 60, "account": 40}
"""Playlists that exist on the last day: 300."""
DELETED_PLAYLISTS: dict[FileKind, int] = {"mpd": 0, "exportify": 3, "account": 3}
"""Further ones that are deleted before it. Not of slices, whose numbering they would change."""
LATE_PLAYLIST_SHARE = 0.03
USER_COUNT = 90
ODD_ITEM_SHARE = 0.08
"""Share of items that are no ordinary track, in the playlists whose file format can tell of them."""


class History(NamedTuple):
    """The playlists and everything beside tracks that is in them. `account` is the account's own user."""

    users: tuple[User, ...]
    account: User
    episodes: tuple[Episode, ...]
    local_files: tuple[LocalFile, ...]
    playlists: tuple[Playlist, ...]


def make_history(random: Random, catalogue: Catalogue) -> History:
    """Playlists over `DAYS` of the catalogue's tracks, drawn from `random`."""
    users = tuple(_user(random) for _ in range(USER_COUNT))
    account = users[0]
    episodes, local_files = _episodes(random), _local_files(random)
    listener = _Listener(random, catalogue, users, episodes, local_files)
    playlists: list[Playlist] = []
    names = _Names(random)
    for kind, lasting in LASTING_PLAYLISTS.items():
        for number in range(lasting + DELETED_PLAYLISTS[kind]):
            first, last = 0, len(DAYS)
            if number >= lasting:
                last = random.randrange(3, len(DAYS))
            elif random.random() < LATE_PLAYLIST_SHARE:
                first = random.randrange(1, len(DAYS) - 1)
            owner = account if kind == "account" else random.choice(users[1:])
            playlists.append(_live_through(listener, names.draw(), kind, number, owner, DAYS[first:last]))
    return History(users, account, episodes, local_files, tuple(playlists))


def _user(random: Random) -> User:
    name = f"{random.choice(words.FIRST_NAMES)} {random.choice(words.LAST_NAMES)}"
    return User(random_ids.user_id(random), None if random.random() < 0.1 else name)


def _episodes(random: Random) -> tuple[Episode, ...]:
    return tuple(
        Episode(
            random_ids.spotify_id(random),
            f"{number}: {random.choice(words.ADJECTIVES)} {random.choice(words.NOUNS)}",
            random.choice(words.SHOWS),
            random.randrange(900_000, 5_400_000),
        )
        for number in range(1, 21)
    )


def _local_files(random: Random) -> tuple[LocalFile, ...]:
    files = []
    for number in range(1, 21):
        artist, title = random.choice(words.LAST_NAMES), f"Demo {number:02d}"
        seconds = random.randrange(60, 400)
        uri = f"spotify:local:{artist}:Tapes:{title.replace(' ', '+')}:{seconds}"
        files.append(LocalFile(uri, title, artist, "Tapes", 1000 * seconds))
    return tuple(files)


class _Names:
    """Draws playlist names, none twice: two file formats know a playlist by its name only."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._taken: set[str] = set()

    def draw(self) -> str:
        """A name not drawn before."""
        random = self._random
        while True:
            name = f"{random.choice(words.PLAYLIST_MOODS)} {random.choice(words.PLAYLIST_FORMS)}"
            number, place = random.randrange(2, 30), random.choice(words.PLACES)
            name += random.choice(("", "", f" {number}", f" {place}", " 🎧", " été"))
            if random.random() < 0.3:
                name = name.lower()
            if name.casefold() not in self._taken:
                self._taken.add(name.casefold())
                return name


@dataclass
class _Listener:
    """Picks what goes into a playlist. Tracks are liked by genre, popular ones much more than others."""

    random: Random
    catalogue: Catalogue
    users: tuple[User, ...]
    episodes: tuple[Episode, ...]
    local_files: tuple[LocalFile, ...]
    by_genre: dict[str, list[Track]] = field(init=False)

    def __post_init__(self) -> None:
        by_genre = defaultdict(list)
        for track in sorted(self.catalogue.tracks, key=lambda track: (-track.popularity, track.track_id)):
            by_genre[self.catalogue.genre_of_track[track.track_id]].append(track)
        self.by_genre = dict(sorted(by_genre.items()))

    def pick(self, genre: str, kind: FileKind, added_at: datetime, added_by: str) -> PlaylistItem:
        """An item for a playlist of that genre, now and then an odd one where the file format allows it."""
        random = self.random
        if kind != "mpd" and random.random() < ODD_ITEM_SHARE:
            return self._pick_odd(kind, added_at, added_by)
        track = self._track(genre)
        while kind == "mpd" and not track.name:
            track = self._track(genre)
        return PlaylistItem("track", track.uri, added_at, added_by)

    def _track(self, genre: str) -> Track:
        random = self.random
        tracks = self.by_genre[genre if random.random() < 0.8 else random.choice(list(self.by_genre))]
        return tracks[int(len(tracks) * random.random() ** 2)]

    def _pick_odd(self, kind: FileKind, added_at: datetime, added_by: str) -> PlaylistItem:
        random = self.random
        draw = random.random()
        if draw < 0.3:
            return PlaylistItem("episode", random.choice(self.episodes).uri, added_at, added_by)
        if draw < 0.6:
            return PlaylistItem("local", random.choice(self.local_files).uri, added_at, added_by)
        if draw < 0.8 and kind == "account":
            return PlaylistItem("unavailable", None, added_at, "")
        track = random.choice(self.catalogue.tracks)
        if draw < 0.9:
            return PlaylistItem("track", track.uri, datetime(1970, 1, 1, tzinfo=UTC), "")
        return PlaylistItem("track", track.uri, None, None)


def _live_through(
    listener: _Listener, name: str, kind: FileKind, number: int, owner: User, days: tuple[date, ...]
) -> Playlist:
    """One playlist from its first day to its last."""
    random = listener.random
    genre = random.choice(list(listener.by_genre))
    is_collaborative = random.random() < 0.08
    authors = [owner, *random.sample(listener.users, 3)] if is_collaborative else [owner]
    description = f"{genre} for {name.lower()}" if random.random() < 0.35 else ""

    def new_item(day: date) -> PlaylistItem:
        return listener.pick(genre, kind, _moment(random, day), random.choice(authors).user_id)

    ages = sorted((random.randrange(1, 2500) for _ in range(_length(random, number))), reverse=True)
    version = PlaylistVersion(
        snapshot_id=random_ids.snapshot_id(random),
        modified_at=_moment(random, days[0] - timedelta(days=1)),
        name=name,
        description=description,
        has_cover=random.random() < 0.2,
        items=tuple(new_item(days[0] - timedelta(days=age)) for age in ages),
    )
    versions = {days[0]: version}
    all_changes: list[Change] = []
    activity = random.choices((0.0, 0.3, 0.7, 1.0), weights=(15, 50, 30, 5))[0]
    for day in days[1:]:
        changes = _edit(random, version.items, day, new_item) if random.random() < activity else []
        if changes:
            version = _next_version(random, version, day, items=apply_changes(version.items, changes))
            all_changes += changes
        elif random.random() < 0.03:
            version = _next_version(random, version, day, **_relabel(random, version, kind))
        versions[day] = version
    followers = int(200 * random.random() ** 6)
    return Playlist(
        playlist_id=random_ids.spotify_id(random),
        owner_id=owner.user_id,
        is_collaborative=is_collaborative,
        is_public=random.random() < 0.7,
        file_kind=kind,
        file_number=number,
        versions=versions,
        follower_counts={day: max(0, followers + random.randrange(-1, 2)) for day in days},
        changes=tuple(all_changes),
    )


def _length(random: Random, number: int) -> int:
    """Items at the start: one playlist of each file kind is empty, two need several pages of an API."""
    if number in (7, 11, 13):
        return {7: 0, 11: 120, 13: 260}[number]
    return min(100, 4 + int(random.expovariate(1 / 24)))


def _moment(random: Random, day: date) -> datetime:
    """A second of that day, UTC, before the hour at which it is observed."""
    return datetime.combine(day, time(), UTC) + timedelta(seconds=random.randrange(1, 22 * 3600))


def _edit(random: Random, items: tuple[PlaylistItem, ...], day: date, new_item) -> list[Change]:
    """One day's edits. No item is touched twice on a day, so that the day's difference tells them all."""
    current, touched = list(items), set()
    changes: list[Change] = []
    for _ in range(random.choice((1, 1, 2, 2, 3, 4, 6))):
        kind = random.choices(("added", "removed", "moved"), weights=(5, 3, 3))[0]
        if kind == "added":
            item = new_item(day)
            # Two equal items would make it undecidable which of them was touched.
            if item in current:
                continue
            to_position = len(current) if random.random() < 0.7 else random.randrange(len(current) + 1)
            change = Change(day, "added", item, None, to_position)
        else:
            candidates = [place for place, item in enumerate(current) if item not in touched]
            if len(current) < 3 or not candidates:
                continue
            from_position = random.choice(candidates)
            item, to_position = current[from_position], None
            if kind == "moved":
                to_position = random.randrange(len(current))
                if to_position == from_position:
                    continue
            change = Change(day, kind, item, from_position, to_position)
        current = list(apply_changes(current, [change]))
        touched.add(item)
        changes.append(change)
    # Moves that undo each other leave nothing that an observer could see.
    return changes if current != list(items) else []


def _relabel(random: Random, version: PlaylistVersion, kind: FileKind) -> dict[str, object]:
    """An edit that changes the snapshot id but no item: cover, description, or name."""
    draw = random.random()
    if draw < 0.4:
        return {"has_cover": not version.has_cover}
    # Only a slice knows a playlist by number; elsewhere a new name would be a new playlist.
    if draw < 0.6 and kind == "mpd":
        return {"name": f"{version.name} (new)"}
    return {"description": f"{random.choice(words.ADJECTIVES)} {random.choice(words.NOUNS)}s".lower()}


def _next_version(random: Random, version: PlaylistVersion, day: date, **fields) -> PlaylistVersion:
    known = {name: getattr(version, name) for name in ("name", "description", "has_cover", "items")}
    return PlaylistVersion(
        snapshot_id=random_ids.snapshot_id(random), modified_at=_moment(random, day), **(known | fields)
    )
