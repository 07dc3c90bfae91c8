"""Identifiers in the shapes that the sources give theirs, drawn from a seeded generator.

Each function takes the generator and draws from it; none remembers what it gave before. At these
lengths a repeat within a world is out of the question, except for track ids (see `msd_track_id`).
"""

import string
from random import Random

BASE62 = string.digits + string.ascii_letters


def spotify_id(random: Random) -> str:
    """22 base-62 characters."""
    return "".join(random.choices(BASE62, k=22))


def snapshot_id(random: Random) -> str:
    """32 characters that look like the base-64 text of a real one."""
    return "AAAA" + "".join(random.choices(BASE62, k=28))


def msd_track_id(random: Random) -> str:
    """18 characters; the first letters are few, so that files share folders as in the dataset's subset."""
    letters = "A" + random.choice("ABCDEFGH") + random.choice("ABCD") + _letters(random, 2)
    return "TR" + letters + _echo_nest_tail(random)


def msd_song_id(random: Random) -> str:
    """18 characters, SO and a tail."""
    return "SO" + _letters(random, 5) + _echo_nest_tail(random)


def msd_artist_id(random: Random) -> str:
    """18 characters, AR and a tail."""
    return "AR" + _letters(random, 5) + "1187B" + f"{random.getrandbits(24):06X}"


def mbid(random: Random) -> str:
    """A version 4 UUID, as MusicBrainz uses them."""
    digits = f"{random.getrandbits(128):032x}"
    variant = "89ab"[int(digits[16], 16) % 4]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def md5(random: Random) -> str:
    """32 hexadecimal digits."""
    return f"{random.getrandbits(128):032x}"


def isrc(random: Random, year: int) -> str:
    """12 characters: country, registrant, two digits of the year, designation."""
    country = random.choice(("GB", "US", "SE", "DE", "FR", "BR"))
    return f"{country}{_letters(random, 3)}{year % 100:02d}{random.randrange(100_000):05d}"


def upc(random: Random) -> str:
    """12 digits."""
    return f"{random.randrange(10**12):012d}"


def user_id(random: Random) -> str:
    """An old account's number or a newer one's 28 lower-case letters and digits."""
    if random.random() < 0.4:
        return str(random.randrange(1_110_000_000, 1_299_999_999))
    return "31" + "".join(random.choices(string.ascii_lowercase + string.digits, k=26))


def _letters(random: Random, count: int) -> str:
    return "".join(random.choices(string.ascii_uppercase, k=count))


def _echo_nest_tail(random: Random) -> str:
    if random.random() < 0.5:
        return f"128F{random.getrandbits(28):07X}"
    return f"12903{random.getrandbits(24):06X}"
