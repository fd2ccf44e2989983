"""The detector: audio and markers in, verdicts out; no clock, no sockets, no model."""
