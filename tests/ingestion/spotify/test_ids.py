"""Playlist ids in every form in which they are pasted."""

import pytest

from ingestion.errors import ConfigError
from ingestion.spotify.ids import playlist_id, playlist_ids

ID = "0123456789abcdefGHIJKL"
OTHER = "zzzzzzzzzzzzzzzzzzzzzz"


@pytest.mark.parametrize(
    "text",
    [
        ID,
        f"  {ID}\r\n",
        f'"{ID}"',
        f"' {ID} '",
        f"“{ID}”",
        f"\ufeff{ID}",
        f"spotify:playlist:{ID}",
        f"spotify:user:jane.doe:playlist:{ID}",
        f"spotify:user:jane%20d%C3%B6e:playlist:{ID}",
        f"https://open.spotify.com/playlist/{ID}",
        f"http://open.spotify.com/playlist/{ID}",
        f"open.spotify.com/playlist/{ID}",
        f"HTTPS://Open.Spotify.com/playlist/{ID}",
        f"<https://open.spotify.com/playlist/{ID}>",
        f"https://open.spotify.com/playlist/{ID}/",
        f"https://open.spotify.com/playlist/{ID}?si=0123456789abcdef&pt=1",
        f"https://open.spotify.com/playlist/{ID}/?si=0123456789abcdef",
        f"https://open.spotify.com/playlist/{ID}#login",
        f"https://open.spotify.com/intl-de/playlist/{ID}?si=0123",
        f"https://open.spotify.com/intl-pt-br/playlist/{ID}",
        f"https://open.spotify.com/embed/playlist/{ID}",
        f"https://open.spotify.com/user/jane.doe/playlist/{ID}",
        f"https://play.spotify.com/user/jane.doe/playlist/{ID}",
        f"https://api.spotify.com/v1/playlists/{ID}",
        f"https://api.spotify.com/v1/playlists/{ID}/tracks?offset=0&limit=100",
        f"https://api.spotify.com/v1/playlists/{ID}/items",
        f"https://api.spotify.com/v1/users/jane.doe/playlists/{ID}",
    ],
)
def test_an_id_is_found_however_it_is_written(text):
    assert playlist_id(text) == ID


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        ID[:-1],
        ID + "0",
        ID[:-1] + "-",
        ID[:-1] + "é",
        ID[:-1] + "٣",
        f"spotify:track:{ID}",
        f"spotify:album:{ID}",
        f"spotify:user:{ID}",
        "spotify:playlist:",
        f"playlist:{ID}",
        f"https://open.spotify.com/track/{ID}",
        f"https://open.spotify.com/user/{ID}",
        f"https://open.spotify.com/playlist/{ID}0",
        f"https://open.spotify.com.example.org/playlist/{ID}",
        f"https://example.org/playlist/{ID}",
        f"ftp://open.spotify.com/playlist/{ID}",
        "https://spotify.link/AbCdEf",
        f"{ID} {OTHER}",
        f"{ID}\n{OTHER}",
    ],
)
def test_what_names_no_playlist_is_shown_with_what_is_accepted(text):
    with pytest.raises(ConfigError) as error:
        playlist_id(text)

    assert repr(text) in str(error.value)
    assert "spotify:playlist:ID" in str(error.value)
    assert "https://open.spotify.com/playlist/ID" in str(error.value)


def test_a_very_long_text_is_not_shown_in_full():
    with pytest.raises(ConfigError) as error:
        playlist_id("x" * 100_000)

    assert len(str(error.value)) < 1000


def test_a_list_keeps_its_order_and_shows_each_id_once():
    lines = [
        "\ufeff# my playlists\r\n",
        f"https://open.spotify.com/playlist/{OTHER}#login\n",
        "\n",
        "   \t\n",
        f"  {ID}   # the one for the road\n",
        "  # spotify:playlist:not-read\n",
        f"spotify:playlist:{OTHER}\n",
        f'"{ID}"',
    ]

    assert playlist_ids(lines) == [OTHER, ID]


@pytest.mark.parametrize("lines", [[], ["# nothing"], ["", " "]])
def test_a_list_may_be_empty(lines):
    assert playlist_ids(lines) == []


def test_the_line_at_fault_is_named():
    with pytest.raises(ConfigError, match=r"^line 3: 'my list' names no playlist"):
        playlist_ids([f"{ID}\n", "# a comment\n", "my list"])
