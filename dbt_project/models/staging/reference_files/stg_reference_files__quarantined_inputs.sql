{{ quarantined_inputs('reference_files') }}
