"""The Bargein wire protocol, without I/O: messages, options, errors, codec and legality."""
