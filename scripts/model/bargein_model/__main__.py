"""`python -m bargein_model`: the commands behind `scripts/model/*`."""

from bargein_model.commands import main

main()
