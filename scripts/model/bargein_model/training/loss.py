"""What is taught: at every frame the class that the overlap, as known so far, belongs to.

A network that is taught the outcome at every frame learns the probability of that outcome given
the sound up to there, which is what a threshold with a fixed meaning needs.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from bargein_model.composer.letters import LETTERS
from bargein_model.composer.overlap import BEFORE_ONSET, UNDECIDED
from bargein_model.contract import FRAMES_PER_SECOND, SoundClass

BEFORE_ONSET_WEIGHT = 0.04
DECIDED_WITHIN = FRAMES_PER_SECOND // 2
"""Frames of an interruption within which it should be found."""
SMOOTHING = 0.02
VOICES = (SoundClass.INTERRUPTION, SoundClass.BACKCHANNEL, SoundClass.VOCAL)


def frame_weights(targets: Tensor) -> Tensor:
    """(batch, frames): the second after what began last counts most, undecided frames nothing."""
    places = torch.arange(targets.shape[1], device=targets.device)
    begins = torch.ones_like(targets, dtype=torch.bool)
    begins[:, 1:] = targets[:, 1:] != targets[:, :-1]
    age = (places - torch.where(begins, places, 0).cummax(1).values) / FRAMES_PER_SECOND
    weights = torch.where(age < 0.1, 0.4, torch.where(age < 1.2, 1.0, 0.4))
    weights = torch.where(targets == BEFORE_ONSET, BEFORE_ONSET_WEIGHT, weights)
    return torch.where(targets == UNDECIDED, 0.0, weights)


def verdict_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross entropy over frames; before the onset the answer is noise."""
    weights = frame_weights(targets)
    answers = torch.where(targets < 0, int(SoundClass.NOISE), targets).long()
    losses = functional.cross_entropy(
        logits.transpose(1, 2), answers, reduction="none", label_smoothing=SMOOTHING
    )
    return (losses * weights).sum() / weights.sum()


def peak_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """What the rule for decisions makes of the frames: the highest of two in a row counts.

    Of frames that are no interruption (those before the onset, too, for noise may have opened the
    overlap) the peak should stay low; of an interruption's first frames it should become high.
    """
    odds = _log_odds(logits)
    pairs = torch.minimum(odds[:, 1:], odds[:, :-1])
    known = targets[:, 1:]
    interrupts = known == int(SoundClass.INTERRUPTION)
    early = interrupts & (interrupts.cumsum(1) <= DECIDED_WITHIN)
    others = ~interrupts & (known != UNDECIDED)
    return _of_peaks(pairs, others, 1.0) + _of_peaks(pairs, early, -1.0)


def followed_frames(targets: Tensor) -> Tensor:
    """(batch, frames), bool: where a voice has begun, of which more is heard when it is alone."""
    voices = torch.tensor([*VOICES, UNDECIDED], device=targets.device)
    return torch.isin(targets, voices)


def hearing_loss(heard: Tensor, clearly: Tensor, followed: Tensor) -> Tensor:
    """How far what an ear heard is from what one heard that had the sound alone.

    Both are (batch, frames, numbers), each number at about unit spread. Learning from the same
    sound twice, clean and disturbed, is the method of Li et al., "Large-Scale Domain Adaptation via
    Teacher-Student Learning" (Interspeech 2017).
    """
    losses = functional.smooth_l1_loss(heard, clearly, reduction="none").mean(-1)
    return (losses * followed).sum() / followed.sum().clamp(min=1)


def agreement_loss(logits: Tensor, clearly: Tensor, followed: Tensor) -> Tensor:
    """Cross entropy with what a network says that had the sound alone (both logits)."""
    losses = -(clearly.softmax(-1) * logits.log_softmax(-1)).sum(-1)
    return (losses * followed).sum() / followed.sum().clamp(min=1)


def reading_loss(letters: Tensor, said: Sequence[str]) -> Tensor:
    """Connectionist temporal classification (Graves et al., 2006) of what is said, where known.

    `letters` are logits, (batch, frames, 1 + letters); the loss is a mean per letter. It teaches
    which word it was, where the classes only teach whether it interrupted.
    """
    known = [row for row, text in enumerate(said) if text]
    if not known:
        return letters.sum() * 0.0
    texts = [[1 + LETTERS.index(letter) for letter in said[row]] for row in known]
    return functional.ctc_loss(
        letters[known].log_softmax(-1).transpose(0, 1),
        torch.tensor([number for text in texts for number in text], device=letters.device),
        torch.full((len(known),), letters.shape[1]),
        torch.tensor([len(text) for text in texts]),
        zero_infinity=True,
    )


def _log_odds(logits: Tensor) -> Tensor:
    interrupts, *rest = logits.unbind(-1)
    return interrupts - torch.logsumexp(torch.stack(rest, -1), -1)


def _of_peaks(pairs: Tensor, where: Tensor, sign: float) -> Tensor:
    """Mean binary cross entropy of the sequences' highest log odds; sequences without frames: 0."""
    peaks = pairs.masked_fill(~where, -torch.inf).amax(1)
    return functional.softplus(sign * peaks[where.any(1)]).sum() / len(pairs)
