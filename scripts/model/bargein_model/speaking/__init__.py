"""Speaks more short words, as a corpus folder that `compose` reads."""
