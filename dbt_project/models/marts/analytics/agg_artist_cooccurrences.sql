{{ cooccurrences('artist') }}
