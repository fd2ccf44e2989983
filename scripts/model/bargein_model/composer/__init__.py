"""Turns a corpus of clips into overlaps as the server will hear them."""
