"""The Bargein server: sessions, detection, prediction, recordings and what is served."""
