"""WebSocket frames from outside: how long they are, and the audio in the one kind that is common.

Fifty times a second every client sends one unfragmented, masked, binary frame of 126 to 65,535
bytes, as a rule alone in its TCP segment. Taking it apart here costs a third of what the general
parser takes; everything else is left to that parser, in whole frames.
"""

try:
    from websockets.speedups import apply_mask
except ImportError:  # where websockets came without its C extension
    from websockets.utils import apply_mask

HEADER_BYTES = 8
"""Opcode, length byte, two bytes of length, four of mask."""
_BINARY_AND_LAST = 0x82
_MASKED = 0x80
_LENGTH = 0x7F
_TWO_BYTES = 126
_MASKED_TWO_BYTES = _MASKED | _TWO_BYTES


def sole_audio(data: bytes) -> bytes | None:
    """The payload of `data` if it is one whole common frame and nothing else."""
    if (
        len(data) > HEADER_BYTES
        and data[0] == _BINARY_AND_LAST
        and data[1] == _MASKED_TWO_BYTES
        and len(data) == HEADER_BYTES + (data[2] << 8 | data[3])
    ):
        return apply_mask(data[HEADER_BYTES:], data[4:HEADER_BYTES])
    return None


def frame_length(data: bytes, start: int) -> int:
    """The length of the frame that begins at `start`; 0 if too little of it is there to say."""
    if len(data) - start < 2:
        return 0
    length = data[start + 1] & _LENGTH
    header = 2 + (4 if data[start + 1] & _MASKED else 0)
    if length < _TWO_BYTES:
        return header + length
    size = 2 if length == _TWO_BYTES else 8
    if len(data) - start < 2 + size:
        return 0
    return header + size + int.from_bytes(data[start + 2 : start + 2 + size], "big")
