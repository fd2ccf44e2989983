"""The LiveKit dialect (`…/bargein`): LiveKit agents use Bargein without a change of their code.

    messages.py      the words of the dialect, and bytes ↔ messages
    conversation.py  one connection: what arrived, and whether it is legal now
    sequence.py      the audio behind a client's windows, put together again
    speech.py        where the user's latest sound begins
    hearing.py       what windows have told, and what the model has not heard yet
    judgement.py     from the model's frames, or the VAD alone, to the answer
    answering.py     the windows of one connection: every one gets its answer, in time
    session.py       one connection: its messages, from the first to the farewell
    links.py         the WebSockets of both ports
    post.py          one window over HTTP, for the older clients
    diagnostics.py   what the operator sees
    dialect.py       all of it in a server

Down to `judgement.py` there is no I/O and no clock.
"""
