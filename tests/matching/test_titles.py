"""Titles as real catalogues write them, taken apart."""

import pytest

from matching.titles import read_release, read_title

TITLES = [
    # title, core, versions, editions, guests
    ("Paper Moon", "paper moon", "", "", ""),
    ("PAPER MOON!", "paper moon", "", "", ""),
    ("The Paper Moon", "paper moon", "", "", ""),
    ("Song (Live)", "song", "live", "", ""),
    ("Song [Live]", "song", "live", "", ""),
    ("Song (Live", "song", "live", "", ""),
    ("Song - Live", "song", "live", "", ""),
    ("Song \u2013 Live", "song", "live", "", ""),
    ("Song - Live at Wembley / 1986", "song", "live", "", ""),
    ("Song (Live @ Wembley)", "song", "live", "", ""),
    ("Song (Live; 2005)", "song", "live", "", ""),
    ("Song (En Vivo)", "song", "live", "", ""),
    ("Song - Ao Vivo", "song", "live", "", ""),
    ("Song (Dal Vivo)", "song", "live", "", ""),
    ("Song - En Directo", "song", "live", "", ""),
    ("Song (MTV Unplugged)", "song", "acoustic live", "", ""),
    ("Alive", "alive", "", "", ""),
    ("Live Forever", "live forever", "", "", ""),
    ("Live and Let Die", "live and let die", "", "", ""),
    ("Song (Live and Let Die)", "song", "", "", ""),
    ("Song (Long Live)", "song", "", "", ""),
    ("Song (Album Version)", "song", "", "album", ""),
    ("Song (LP Version)", "song", "", "album", ""),
    ("Song [Explicit]", "song", "", "explicit", ""),
    ("Song (Explicit Album Version)", "song", "", "album explicit", ""),
    ("Song (Digital Remaster)", "song", "", "remaster", ""),
    ("Song - 2011 Remaster", "song", "", "remaster", ""),
    ("Song - Remasterizado 2015", "song", "", "remaster", ""),
    ("Song - Mono / Remastered 2009", "song", "", "mono remaster", ""),
    ("Song (Live) (Remastered LP Version)", "song", "live", "album remaster", ""),
    ("Song (Bonus Track)", "song", "", "bonus", ""),
    ("Song (Radio Edit)", "song", "", "edit", ""),
    ("Song (7'' Mix)", "song", "", "single", ""),
    ('Song (12" Mix)', "song", "extended remix", "", ""),
    ("Song (Original Mix)", "song", "", "original", ""),
    ("Song (Club Mix)", "song", "remix", "", ""),
    ("Song - Somebody Remix", "song", "remix", "", ""),
    ("Song Remix", "song", "remix", "", ""),
    ("Remix to Ignition", "remix to ignition", "", "", ""),
    ("Song (Acoustic)", "song", "acoustic", "", ""),
    ("Song - Versión Acústica", "song", "acoustic", "", ""),
    ("Song (Demo)", "song", "demo", "", ""),
    ("Demolition Man", "demolition man", "", "", ""),
    ("Song (Instrumental Version)", "song", "instrumental", "", ""),
    ("Song (Spanish Version)", "song", "translated", "", ""),
    ("Song (US Version)", "song", "", "release", ""),
    ("Song (iTunes Version)", "song", "", "release", ""),
    ("Song (Original Press Version)", "song", "", "release", ""),
    ("Song (Bonus Version)", "song", "", "bonus", ""),
    ("Song (Explicit Lyrics Version)", "song", "", "explicit", ""),
    ("Song (Somebody's Version)", "song", "alternate", "", ""),
    ("Song (Version 2)", "song", "alternate", "", ""),
    ("Song (Re-Recorded)", "song", "rerecorded", "", ""),
    ('Song (12")', "song", "extended", "", ""),
    ("Song (12'' Version)", "song", "extended", "", ""),
    ("Song (12\u2033 Version)", "song", "extended", "", ""),
    ("Song (12 Inch)", "song", "extended", "", ""),
    ('Song (7" Version)', "song", "", "single", ""),
    ("Hungarian Rhapsody - No. 12", "hungarian rhapsody no 12", "", "", ""),
    ("Song - Op. 12", "song op 12", "", "", ""),
    ("Etude (Op. 10, No. 12)", "etude op 10 no 12", "", "", ""),
    ("Song (12)", "song 12", "", "", ""),
    ("Song (Digitally Remastered 12)", "song", "", "remaster", ""),
    ("Song (Inst.)", "song", "instrumental", "", ""),
    ("Song (Off Vocal)", "song", "instrumental", "", ""),
    ("Song (Japanese Ver.)", "song", "translated", "", ""),
    ("Song (Korean Ver)", "song", "translated", "", ""),
    ("Song (Album Ver.)", "song", "", "album", ""),
    ("Song (Another Ver.)", "song", "alternate", "", ""),
    ("Volver (A Ver)", "volver", "", "", ""),
    ("夜の港 (カラオケ)", "夜の港", "karaoke", "", ""),
    ("夜の港 (インスト)", "夜の港", "instrumental", "", ""),
    ("夜の港 (インストゥルメンタル)", "夜の港", "instrumental", "", ""),
    ("夜の港 (伴奏)", "夜の港", "instrumental", "", ""),
    ("夜の港 (ライブ)", "夜の港", "live", "", ""),
    ("夜の港 (ライヴ・ヴァージョン)", "夜の港", "live", "", ""),
    ("夜の港 (ドライブ)", "夜の港", "", "", ""),
    ("夜の港 - 现场版", "夜の港", "live", "", ""),
    ("夜の港 (現場)", "夜の港", "live", "", ""),
    ("밤의 항구 (라이브)", "밤의 항구", "live", "", ""),
    ("밤의 항구 (드라이브)", "밤의 항구", "", "", ""),
    ("Тихая река (концерт)", "тихая река", "live", "", ""),
    ("Тихая река - Концертная запись", "тихая река", "live", "", ""),
    ("Тихая река (живое)", "тихая река", "live", "", ""),
    ("Тихая река - Концерт для скрипки", "тихая река концерт для скрипки", "", "", ""),
    ("Song (Directo)", "song", "live", "", ""),
    ("Song (Directo al Corazón)", "song", "", "", ""),
    ("Song (Quite Another Version)", "song", "alternate", "", ""),
    ("Song (Take 3)", "song", "alternate", "", ""),
    ("Song (A Cappella)", "song", "acappella", "", ""),
    ("Song (Karaoke)", "song", "karaoke", "", ""),
    ("Song (Reprise)", "song", "reprise", "", ""),
    ('Song (From "A Film")', "song", "", "soundtrack", ""),
    ("Song (feat. Somebody)", "song", "", "", "somebody"),
    ("Song [Feat. One & Two]", "song", "", "", "one two"),
    ("Song - feat. Somebody", "song", "", "", "somebody"),
    ("Song ft Somebody", "song", "", "", "somebody"),
    ("Song (with Somebody)", "song", "", "", "somebody"),
    ("Song (con Alguien)", "song", "", "", "alguien"),
    ("Dancing (With Myself)", "dancing", "", "", ""),
    ("Song (X vs. Y Remix feat. Somebody)", "song", "remix", "", "somebody"),
    ("(I Can't Get No) Satisfaction", "satisfaction", "", "", ""),
    ("(Untitled)", "untitled", "", "", ""),
    ("(Untitled) [Live]", "untitled", "live", "", ""),
    ("(Live)", "live", "", "", ""),
    ("Echoes (Part 2)", "echoes part 2", "", "", ""),
    ("Echoes, Pt. II", "echoes part 2", "", "", ""),
    ("Medley: A / B", "medley a b", "", "", ""),
    ("Up - Down", "up down", "", "", ""),
    ("Symphony No. 5 - XIV. Adagio", "symphony no 5 14 adagio", "", "", ""),
    ("Interlude II", "interlude 2", "", "", ""),
    ("Interlude (II)", "interlude 2", "", "", ""),
    ("I. Allegro", "1 allegro", "", "", ""),
    ("I. O. U.", "i o u", "", "", ""),
    ("Malcolm X", "malcolm x", "", "", ""),
    ("Scene (Act III)", "scene act 3", "", "", ""),
    ("Symphony No. 5 in C minor: I. Allegro", "symphony no 5 in c minor 1 allegro", "", "", ""),
    ("Rock 'n' Roll", "rock and roll", "", "", ""),
    ("Rock & Roll", "rock and roll", "", "", ""),
    ("Don\u2019t Stop", "dont stop", "", "", ""),
    ("Última Canção", "ultima cancao", "", "", ""),
    ("Stra\u00dfe", "strasse", "", "", ""),
    ("\uff33\uff4f\uff4e\uff47 \uff08\uff2c\uff49\uff56\uff45\uff09", "song", "live", "", ""),
    ("Тихая река (Live)", "тихая река", "live", "", ""),
    ("夜の港", "夜の港", "", "", ""),
    ("हिन्दी", "हिन्दी", "", "", ""),
    ("!!!", "!!!", "", "", ""),
    ("", "", "", "", ""),
]


@pytest.mark.parametrize(("title", "core", "versions", "editions", "guests"), TITLES)
def test_a_title_says_what_it_is_called_and_of_which_recording_it_speaks(
    title, core, versions, editions, guests
):
    read = read_title(title)
    assert (read.core, read.versions, read.editions, read.guests) == (
        core,
        tuple(versions.split()),
        tuple(editions.split()),
        tuple(guests.split()),
    )


def test_nothing_of_a_title_is_lost():
    assert read_title("(I Can't Get No) Satisfaction - Live feat. Somebody").full == (
        "i cant get no satisfaction live feat somebody"
    )


@pytest.mark.parametrize(
    ("one", "other"), [("か", "が"), ("हिन्दी", "हन्द"), ("Song (Part 1)", "Song (Part 2)")]
)
def test_different_titles_stay_different(one, other):
    assert read_title(one).core != read_title(other).core


@pytest.mark.parametrize(
    ("title", "remark"),
    [
        ("Skit (Foo)", "foo"),
        ("(I Can't Get No) Satisfaction (Live)", "i cant get no"),
        ("Skit (Foo) (Bar) (feat. Somebody) [2011 Remaster] (Part 2)", "foo bar"),
        ("(Untitled)", ""),
        ("Skit", ""),
    ],
)
def test_what_stands_in_brackets_and_is_no_tag_is_kept_beside_the_title(title, remark):
    assert read_title(title).remark == remark


@pytest.mark.parametrize(
    ("release", "is_live"),
    [
        ("Live at Leeds", True),
        ("Live in Oslo", True),
        ("Live! at the Club", True),
        ("Live", True),
        ("Album (Live)", True),
        ("Album: Live", True),
        ("MTV Unplugged", True),
        ("Ao Vivo", True),
        ("Live 1975-85", True),
        ("Live Through This", False),
        ("Live in the Moment", False),
        ("How We Live", False),
        ("Live On", False),
        ("Album - Live On Stage", True),
        ("Album, Live at the Club", True),
        ("En Directo", True),
        ("Album: Directo", True),
        ("Album (Directo)", True),
        ("夜の港 ライブ", True),
        ("Directo al Corazón", False),
        ("Tonight, Live Forever", False),
        ("Life, Live It", False),
        ("Long Live - Live Your Life", False),
        ("Eat, Live, Die", False),
        ("Live from the Heart", False),
        ("ドライブ", False),
        ("Alive", False),
        ("Album (Remastered)", False),
    ],
)
def test_a_release_says_whether_it_is_a_concert(release, is_live):
    assert read_release(release).is_live == is_live
