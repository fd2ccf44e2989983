"""What all tests share."""

from hypothesis import settings

# No example fails for being slow: the machine may be busy with something else.
settings.register_profile("bargein", deadline=None, print_blob=True)
settings.load_profile("bargein")
