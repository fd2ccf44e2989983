"""The client's subcommands of `bargein`."""
