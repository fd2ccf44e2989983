"""What others can see of the sessions: the event log and its subscribers, metrics, logs."""
