"""The Bargein client: stream a session, follow events, replay recordings."""
