"""User audio on its way in: decoded, resampled, diagnosed."""
