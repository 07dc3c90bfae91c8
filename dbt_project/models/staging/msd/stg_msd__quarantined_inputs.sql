{{ quarantined_inputs('msd') }}
