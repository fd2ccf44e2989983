"""Gathers what people say in games, as a corpus folder that `compose` reads."""
