"""A session from beginning to end: the core without I/O, the actor around it, who hears it."""
