"""`python -m bargein_client` is `bargein`."""

from bargein_client.cli import main

main()
