"""What Redshift takes: the vocabulary, and the rules by which a text breaks it."""
