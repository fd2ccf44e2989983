"""What is said in an overlap, in letters: where it is known, the network learns to read along."""

import unicodedata
from collections.abc import Sequence

from bargein_model.composer.corpus import Clip

LETTERS = "abcdefghijklmnopqrstuvwxyz' "
SPOKEN = frozenset({"speech", "backchannel"})
FILE_NAMES = frozenset({"prompt"})
"""Subclasses whose text is no transcript."""
_DROPPED = str.maketrans("-", " ", '.,!?;:…"“”¿¡()')


def said_in(clip: Clip) -> str | None:
    """The clip's words, or None where nobody wrote them down in these letters."""
    if clip.kind not in SPOKEN or clip.subclass in FILE_NAMES:
        return None
    plain = unicodedata.normalize("NFKD", clip.text.lower()).replace("’", "'").translate(_DROPPED)
    letters = " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())
    return letters if letters and set(letters) <= set(LETTERS) else None


def together(parts: Sequence[str | None]) -> str:
    """One line for all that is said in turn; empty unless every part of it is known."""
    known = [part for part in parts if part is not None]
    return " ".join(filter(None, known)) if len(known) == len(parts) else ""
