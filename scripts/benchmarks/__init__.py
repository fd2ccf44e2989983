"""How fast, how many, how small: what `scripts/bench` measures."""
