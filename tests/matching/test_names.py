"""Names of artists taken apart."""

import pytest

from matching.names import read_name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The Beatles", "beatles"),
        ("Beatles, The", "The Beatles"),
        ("Simon & Garfunkel", "Simon and Garfunkel"),
        ("AC/DC", "ACDC"),
        ("R.E.M.", "REM"),
        ("Björk", "Bjork"),
        ("P!nk", "Pink"),
        ("Guns N' Roses", "Guns and Roses"),
        ("Artist feat. Somebody", "Artist"),
        ("Artist featuring Somebody", "Artist"),
        ("Artist / Somebody", "Artist"),
        ("Кино", "КИНО"),
    ],
)
def test_names_that_are_written_otherwise_are_found_under_one_key(one, other):
    assert read_name(one).key == read_name(other).key


@pytest.mark.parametrize(
    ("one", "other", "are_equal"),
    [
        ("The Comets", "The comets", True),
        ("Earth & Fire", "Earth and Fire", True),
        ("Guns N' Roses", "Guns N\u2019 Roses", True),
        ("O'Neill", "O\u00b4Neill", True),
        ("Artist", "\uff21\uff52\uff54\uff49\uff53\uff54", True),
        ("Bjo\u0308rk", "Bj\u00f6rk", True),
        ("Jean-Luc", "Jean\u2010Luc", True),
        ("The Comets", "Comets", False),
        ("Björk", "Bjork", False),
    ],
)
def test_articles_and_accents_tell_exact_names_apart(one, other, are_equal):
    assert (read_name(one).exact == read_name(other).exact) == are_equal


def test_guests_are_told_from_the_artist():
    name = read_name("Artist feat. Somebody")
    assert (name.core, name.guests) == ("artist", ("somebody",))


def test_a_name_of_several_is_found_under_each():
    assert read_name("Bob Marley & The Wailers").parts == ("bobmarley", "wailers")
    assert read_name("Earth, Wind & Fire").key == "earthwindandfire"


def test_a_name_of_signs_alone_stands_for_itself():
    assert read_name("!!!").key == "!!!"
    assert read_name("").key == ""
