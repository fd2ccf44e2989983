"""What `bargein replay` does: play recordings again, compare, show, draw."""
