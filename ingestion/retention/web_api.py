"""What survives of what Spotify's Web API said: the rules as SQL over raw.

A state of a playlist is confirmed by every look that shows it, so that an unchanged playlist stays as
long as somebody looks. What survives a state that goes:

- every change that was derived from it, in `playlist_track_changes`;
- the first look at each playlist, without its number of followers;
- of the tracks, albums and artists that a surviving state refers to, the newest row of each;
- in the archive, the answers of which surviving states were made;
- that a search for a song found nothing, the last time: so that it is not repeated at once.

The tracks that a search found go with it, unless they are in a playlist.
"""

from ingestion.retention.survivors import STATES, Rules
from ingestion.spotify import SPOTIFY
from ingestion.spotify.tables import PLAYLIST_TRACK_CHANGES

TABLES = {
    "state_looks": """
        select
            playlists.playlist_id,
            playlists.snapshot_id,
            coalesce(max(looks.observed_at), max(playlists.extracted_at)) as confirmed_at
        from raw_spotify.playlists as playlists
        left join raw_spotify.playlist_observations as looks
            on playlists.playlist_id = looks.playlist_id and playlists.snapshot_id = looks.snapshot_id
        group by playlists.playlist_id, playlists.snapshot_id
    """,
    "ranked_states": """
        select
            *,
            row_number() over (
                partition by playlist_id order by confirmed_at desc, snapshot_id desc
            ) as age_rank
        from state_looks
    """,
    "looked_at": """
        select distinct playlist_id from raw_spotify.playlist_observations
        where is_available and observed_on >= {cutoff}
    """,
    "expired_states": """
        select playlist_id, snapshot_id from ranked_states
        where
            cast(confirmed_at as date) < {cutoff}
            and not (age_rank = 1 and playlist_id in (select playlist_id from looked_at))
    """,
    **STATES,
    "aged_looks": """
        select
            looks.playlist_id,
            looks.observed_on,
            looks.seen_in,
            looks.observed_on < {cutoff}
            and (held_playlists.held_since is null or looks.observed_on < held_playlists.held_since)
                as is_expired,
            row_number() over (
                partition by looks.playlist_id order by looks.observed_on, looks.seen_in
            ) as look_number
        from raw_spotify.playlist_observations as looks
        left join held_playlists on looks.playlist_id = held_playlists.playlist_id
    """,
    "surviving_looks": """
        select playlist_id, observed_on, seen_in, is_expired from aged_looks
        where not is_expired or look_number = 1
    """,
    "surviving_items": """
        select distinct items.track_id
        from raw_spotify.playlist_tracks as items
        inner join surviving_states
            on
                items.playlist_id = surviving_states.playlist_id
                and items.snapshot_id = surviving_states.snapshot_id
        where items.track_id is not null
    """,
    "ranked_tracks": """
        select
            track_id, observed_on, is_full, album_id,
            row_number() over (partition by track_id, is_full order by observed_on desc) as age_rank
        from raw_spotify.tracks
    """,
    "surviving_tracks": """
        select track_id, observed_on, is_full, album_id from ranked_tracks
        where
            observed_on >= {cutoff}
            or (age_rank = 1 and track_id in (select track_id from surviving_items))
    """,
    "ranked_albums": """
        select
            album_id, observed_on, is_full,
            row_number() over (partition by album_id, is_full order by observed_on desc) as age_rank
        from raw_spotify.albums
    """,
    "surviving_albums": """
        select album_id, observed_on, is_full from ranked_albums
        where
            observed_on >= {cutoff}
            or (age_rank = 1 and album_id in (
                select album_id from surviving_tracks where album_id is not null
            ))
    """,
    "named_artists": """
        select names.artist_id
        from raw_spotify.track_artists as names
        inner join surviving_tracks as owners
            on
                names.track_id = owners.track_id
                and names.observed_on = owners.observed_on
                and names.is_full = owners.is_full
        where names.artist_id is not null
        union
        select names.artist_id
        from raw_spotify.album_artists as names
        inner join surviving_albums as owners
            on
                names.album_id = owners.album_id
                and names.observed_on = owners.observed_on
                and names.is_full = owners.is_full
        where names.artist_id is not null
    """,
    "ranked_artists": """
        select
            artist_id, observed_on, is_full,
            row_number() over (partition by artist_id, is_full order by observed_on desc) as age_rank
        from raw_spotify.artists
    """,
    "surviving_artists": """
        select artist_id, observed_on, is_full from ranked_artists
        where
            observed_on >= {cutoff}
            or (age_rank = 1 and artist_id in (select artist_id from named_artists))
    """,
    "surviving_full_artists": """
        select artist_id, observed_on from surviving_artists where is_full
    """,
    "surviving_audio_features": """
        select track_id from raw_spotify.audio_features
        where
            cast(observed_at as date) >= {cutoff}
            or track_id in (select track_id from surviving_items)
    """,
    "ranked_searches": """
        select
            msd_track_id, observed_on, outcome,
            row_number() over (partition by msd_track_id order by observed_on desc) as age_rank
        from raw_spotify.track_searches
    """,
    "surviving_searches": """
        select msd_track_id, observed_on from ranked_searches
        where observed_on >= {cutoff} or (age_rank = 1 and outcome = 'nothing_found')
    """,
    "surviving_events": """
        select run_id, event_number from raw_spotify.extraction_log
        where cast(logged_at as date) >= {cutoff}
    """,
    "surviving_unavailable_fields": """
        select object_type, field, observed_on from raw_spotify.unavailable_fields
        where observed_on >= {cutoff}
    """,
    "surviving_quarantined_inputs": """
        select source_root, file_path, item from raw_spotify.quarantined_inputs
        where cast(extracted_at as date) >= {cutoff}
    """,
}
SURVIVORS_OF = {
    "playlists": ("surviving_states", ("playlist_id", "snapshot_id")),
    "playlist_tracks": ("surviving_states", ("playlist_id", "snapshot_id")),
    "playlist_observations": ("surviving_looks", ("playlist_id", "observed_on", "seen_in")),
    "tracks": ("surviving_tracks", ("track_id", "observed_on", "is_full")),
    "track_artists": ("surviving_tracks", ("track_id", "observed_on", "is_full")),
    "albums": ("surviving_albums", ("album_id", "observed_on", "is_full")),
    "album_artists": ("surviving_albums", ("album_id", "observed_on", "is_full")),
    "artists": ("surviving_artists", ("artist_id", "observed_on", "is_full")),
    "artist_genres": ("surviving_full_artists", ("artist_id", "observed_on")),
    "audio_features": ("surviving_audio_features", ("track_id",)),
    "track_searches": ("surviving_searches", ("msd_track_id", "observed_on")),
    "track_search_results": ("surviving_searches", ("msd_track_id", "observed_on")),
    "extraction_log": ("surviving_events", ("run_id", "event_number")),
    "unavailable_fields": ("surviving_unavailable_fields", ("object_type", "field", "observed_on")),
    "quarantined_inputs": ("surviving_quarantined_inputs", ("source_root", "file_path", "item")),
}


RULES = Rules(SPOTIFY, PLAYLIST_TRACK_CHANGES, TABLES, SURVIVORS_OF)
