"""The exam: overlaps from sources a model was not trained on, its answers, and what they are worth."""
