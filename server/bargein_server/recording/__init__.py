"""Sessions on disk: written as they happen, read back to be replayed. See README.md."""
