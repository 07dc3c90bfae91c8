"""What survives of playlist files: the rules as SQL over raw.

A state of a playlist is confirmed by every file that shows it, on the file's own day: that on which an export
was made, or the one that a published dataset names. So it makes no difference when a file was extracted, or
how often. What survives a state that goes:

- every change that was derived from it, in `playlist_track_changes`;
- that the file was there: its row in `files`.
"""

from ingestion.playlist_files import PLAYLIST_FILES
from ingestion.playlist_files.tables import PLAYLIST_TRACK_CHANGES
from ingestion.retention.survivors import STATES, Rules

TABLES = {
    "state_looks": """
        select
            playlists.playlist_id,
            playlists.snapshot_id,
            coalesce(max(looks.observed_on), cast(max(playlists.extracted_at) as date)) as confirmed_on
        from {schema}.playlists as playlists
        left join {schema}.playlist_observations as looks
            on playlists.playlist_id = looks.playlist_id and playlists.snapshot_id = looks.snapshot_id
        group by playlists.playlist_id, playlists.snapshot_id
    """,
    "expired_states": """
        select playlist_id, snapshot_id from state_looks
        where confirmed_on < {cutoff}
    """,
    **STATES,
    "surviving_looks": """
        select looks.playlist_id, looks.observed_on, looks.file_path, false as is_expired
        from {schema}.playlist_observations as looks
        left join held_playlists on looks.playlist_id = held_playlists.playlist_id
        where looks.observed_on >= {cutoff} or looks.observed_on >= held_playlists.held_since
    """,
    "surviving_quarantined_inputs": """
        select quarantined.source_root, quarantined.file_path, quarantined.item
        from {schema}.quarantined_inputs as quarantined
        left join {schema}.files as files
            on quarantined.source_root = files.source_root and quarantined.file_path = files.file_path
        where cast(coalesce(files.modified_at, quarantined.extracted_at) as date) >= {cutoff}
    """,
}

SURVIVORS_OF = {
    "playlists": ("surviving_states", ("playlist_id", "snapshot_id")),
    "playlist_tracks": ("surviving_states", ("playlist_id", "snapshot_id")),
    "playlist_observations": ("surviving_looks", ("playlist_id", "observed_on", "file_path")),
    "quarantined_inputs": ("surviving_quarantined_inputs", ("source_root", "file_path", "item")),
}

RULES = Rules(PLAYLIST_FILES, PLAYLIST_TRACK_CHANGES, TABLES, SURVIVORS_OF)
