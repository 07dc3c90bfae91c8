{{ quarantined_inputs('playlist_files') }}
