{{ cooccurrences('song') }}
