"""`python -m bargein_model.speaking`: what scripts/model/speak runs."""

from bargein_model.speaking.cli import speak

speak()
