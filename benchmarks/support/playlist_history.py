"""A warehouse's raw tables filled with made-up playlists that somebody looks at day after day.

The rows are those that `ingestion.load` would leave of the Web API, made by SQL: of a track nothing
but its number is known, so that titles differ and no two tracks are one.
"""

from datetime import date, timedelta

import duckdb

FIRST_DAY = date(2026, 1, 1)

TRACKS_PER_PLAYLIST = 5
"""How many tracks there are for each playlist: of popular ones many playlists hold the same."""

RENEWED_EVERY = 22
"""An item of 22 is another one in the next state: of 65 three enter and three leave."""

STAMPS = """
    'spotify_api' as source_system, 'spotify_api' as terms_of_use,
    'day ' || $day as lake_unit_id, $at as extracted_at, epoch($at)::varchar as _dlt_load_id
"""
LOOK_STAMPS = "'day ' || $day as lake_unit_id, $at as extracted_at, epoch($at)::varchar as _dlt_load_id"


def add_day(
    connection: duckdb.DuckDBPyConnection, day: int, playlists: int, items: int, changed_of_thousand: int
) -> None:
    """The looks at all playlists on a day, counted from 0, and the states of those that have changed.

    On day 0 all are new; days are added one after the other. Every playlist has `items` items; of the
    tracks of changed playlists the popularity is told.
    """
    at = f"timestamptz '{FIRST_DAY + timedelta(days=day)} 22:00:00+00'"
    day_text = f"'{FIRST_DAY + timedelta(days=day)}'"
    stamps, look_stamps = (
        each.replace("$day", day_text).replace("$at", at) for each in (STAMPS, LOOK_STAMPS)
    )
    connection.execute(f"""
        create or replace temp table states as
        select
            number, 'playlist ' || number as playlist_id,
            before.snapshot_id is null or hash(number, {day}) % 1000 < {changed_of_thousand} as is_new,
            coalesce(split_part(before.snapshot_id, ' ', 2)::bigint + is_new::bigint, 0) as state
        from range({playlists}) as playlists (number)
        left join raw_spotify.playlist_observations as before
            on
                before.playlist_id = 'playlist ' || number
                and before.observed_on = date '{FIRST_DAY + timedelta(days=day - 1)}'
    """)
    connection.execute(f"""
        insert into raw_spotify.playlist_observations by name
        select
            playlist_id, date {day_text} as observed_on, 'playlist' as seen_in,
            'state ' || state as snapshot_id, true as is_available, number % 1000 + {day} as follower_count,
            {at} as observed_at, {look_stamps}
        from states
    """)
    connection.execute(f"""
        insert into raw_spotify.playlists by name
        select
            playlist_id, 'state ' || state as snapshot_id, 'Playlist number ' || number as name,
            'owner ' || number % 100 as owner_id_hash, {items} as declared_track_count, {items} as item_count,
            true as is_public, false as is_collaborative, {at} as read_at, {stamps}
        from states where is_new
    """)
    connection.execute(f"""
        create or replace temp table items as
        select
            playlist_id, 'state ' || state as snapshot_id,
            case when state % 2 = 1 then (item + {items} - 1) % {items} else item end as position,
            'track' as item_type,
            -- The square makes low numbers common.
            floor(
                pow(hash(number, item, (state + item) // {RENEWED_EVERY}) % 100000 / 100000, 2)
                * {playlists * TRACKS_PER_PLAYLIST}
            )::bigint as track_number,
            state, number
        from states, range({items}) as items (item)
        where is_new
    """)
    connection.execute(f"""
        insert into raw_spotify.playlist_tracks by name
        select
            playlist_id, snapshot_id, position, item_type,
            'spotify:track:' || lpad(track_number::varchar, 22, '0') as track_uri,
            lpad(track_number::varchar, 22, '0') as track_id,
            'Track number ' || track_number as track_name,
            'Artist number ' || track_number // 10 as artist_name,
            'Album number ' || track_number // 5 as album_name,
            200000 + track_number % 1000 as duration_ms,
            timestamptz '2020-01-01 00:00:00+00' + interval (track_number % 1000) day as added_at,
            'user ' || number % 100 as added_by_hash, {look_stamps}
        from items
    """)
    connection.execute(f"""
        insert into raw_spotify.tracks by name
        select distinct
            lpad(track_number::varchar, 22, '0') as track_id, date {day_text} as observed_on, true as is_full,
            'Track number ' || track_number as name, 'album ' || track_number // 5 as album_id,
            'ISRC' || track_number as isrc, 200000 + track_number % 1000 as duration_ms, false as is_explicit,
            (track_number + {day}) % 101 as popularity, {at} as observed_at, {stamps}
        from items
    """)
