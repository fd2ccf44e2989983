"""Gathers what people say in a game, as a corpus folder that `compose` reads."""
