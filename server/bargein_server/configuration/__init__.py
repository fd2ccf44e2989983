"""Settings: one table behind flags, environment and TOML."""
