"""`python -m bargein_model.gathering`: what scripts/model/gather runs."""

from bargein_model.gathering.cli import gather

gather()
