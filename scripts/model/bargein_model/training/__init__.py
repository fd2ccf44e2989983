"""Trains the network on composed overlaps."""
