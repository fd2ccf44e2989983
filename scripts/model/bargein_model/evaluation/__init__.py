"""The exam: overlaps from sources not used in training, the answers, and what they are worth."""
