"""The training loop: shards in, checkpoints out; stops at any moment and goes on from there."""

import copy
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bargein_model.composer.overlap import BEFORE_ONSET
from bargein_model.composer.shards import Shard, complete_shards
from bargein_model.contract import FRAME_SAMPLES, SoundClass
from bargein_model.export.reading import read
from bargein_model.network import Network
from bargein_model.speech_embedding import FROZEN
from bargein_model.training.figures import Examined
from bargein_model.training.loss import (
    agreement_loss,
    followed_frames,
    hearing_loss,
    peak_loss,
    reading_loss,
    verdict_loss,
)
from bargein_model.training.surroundings import Around, Taught, elsewhere
from bargein_model.weights import place

MODEL_FILE = ".onnx"
SILENCE = -9.0
"""The features of digital silence."""
DEAF_SHARE = 0.12
"""Share of overlaps whose reference is taken away."""
EAR_RATE = 0.3
"""Of the rate at which the ear learns, against all that begins from nothing."""
EAR_JOINS = 1500
"""The step from which on it does: what stands on it should know something by then."""
READS_FOR = 2 / 3
"""Share of the run in which the network reads along, less and less."""


@dataclass(frozen=True)
class Settings:
    """Of one training run."""

    steps: int = 9_000
    batch: int = 64
    rate: float = 2.5e-3
    warm_up: int = 300
    decay: float = 0.02
    average: float = 0.998
    peak_weight: float = 0.3
    """Of the peaks that decide, against the frames."""
    dropout: float = 0.1
    reading_weight: float = 0.15
    """Of reading along what is said, at the beginning."""
    hearing_weight: float = 2.0
    """Of hearing what the teacher hears, where there is one …"""
    agreement_weight: float = 1.0
    """… and of saying what it says."""
    ear_joins: int = EAR_JOINS
    seed: int = 1
    leave_out: tuple[str, ...] = ()
    """Overlaps in which one of these sources has a part are not trained on."""


class Run:
    """A network in training, its average, and how far it is."""

    def __init__(self, settings: Settings, device: str) -> None:
        torch.manual_seed(settings.seed)
        self.settings, self.device = settings, device
        self.network = Network(settings.dropout).to(device)
        self.averaged = copy.deepcopy(self.network).eval()
        self.teacher: Network | None = None
        self.optimizer = torch.optim.AdamW(self._groups(), weight_decay=settings.decay)
        self.step = 0
        self.seen = Counter[str]()
        """How often each shard was taken."""

    def _groups(self) -> list[dict[str, Any]]:
        """What learns, and how fast against the rest: the ear has learnt before."""
        named = list(self.network.named_parameters())
        ear = [one for name, one in named if name.startswith("ear.")]
        rest = [one for name, one in named if not name.startswith("ear.")]
        return [{"params": rest, "share": 1.0}, {"params": ear, "share": EAR_RATE}]

    def save(self, path: Path) -> None:
        """Writes everything that `restore` needs."""
        state = {
            "step": self.step,
            "seen": dict(self.seen),
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        part = path.with_suffix(".part")
        torch.save(state, part)
        part.rename(path)

    def restore(self, path: Path) -> None:
        """Goes on from a saved state."""
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.step, self.seen = state["step"], Counter[str](state["seen"])
        for name in ("network", "averaged", "optimizer"):
            getattr(self, name).load_state_dict(state[name])

    def begin_from(self, path: Path, root: Path) -> None:
        """Takes the weights of another run's average, or of a model file, as this one's first.

        Those of a file are unfolded by what they make of a shard in `root`.
        """
        weights = self._known(path, root)
        self.network.load_state_dict(weights)
        self.averaged.load_state_dict(weights)

    def follow(self, path: Path, root: Path) -> None:
        """Takes weights, as `begin_from` does, for a teacher, which hears every voice alone."""
        self.teacher = copy.deepcopy(self.averaged).requires_grad_(requires_grad=False)
        self.teacher.load_state_dict(self._known(path, root))

    def _known(self, path: Path, root: Path) -> dict[str, Tensor]:
        if path.suffix != MODEL_FILE:
            return _averaged(path, self.device)
        weights, network = read(path), copy.deepcopy(self.averaged)
        rng = np.random.default_rng(self.settings.seed)
        shard = Shard.load(_complete(root)[0])
        batches = _batches(shard, np.arange(len(shard.user)), self.settings.batch, rng)
        pairs = ((one.user.to(self.device), one.reference.to(self.device)) for one in batches)
        place(weights, network, pairs)
        return network.state_dict()

    def take_mean_of(self, *paths: Path) -> None:
        """Takes the mean of several runs' averaged weights, for export.

        Moments of one run, or runs that began from each other, lie in one valley, where the mean is
        as good as any and less at home in its training (Wortsman et al., 2022, "Model soups").
        """
        taken = [_averaged(path, self.device) for path in paths]
        mean = {
            name: torch.stack([weights[name].double() for weights in taken]).mean(0)
            for name in taken[0]
        }
        self.averaged.load_state_dict(mean)

    def train(self, root: Path) -> Iterator[float]:
        """Trains to the end; yields the loss after every step."""
        rng = np.random.default_rng([self.settings.seed, self.step])
        while self.step < self.settings.steps:
            shard = Shard.load(self._least_seen(root, rng))
            chosen = shard.without(self.settings.leave_out)
            for batch in _batches(shard, chosen, self.settings.batch, rng):
                yield self._learn(batch)
                if self.step >= self.settings.steps:
                    return

    def _least_seen(self, root: Path, rng: np.random.Generator) -> Path:
        """One of the shards that this run took least often."""
        folders = _complete(root)
        least = min(self.seen[folder.name] for folder in folders)
        fresh = [folder for folder in folders if self.seen[folder.name] == least]
        chosen = fresh[int(rng.integers(len(fresh)))]
        self.seen[chosen.name] += 1
        return chosen

    def _learn(self, batch: "Batch") -> float:
        for group in self.optimizer.param_groups:
            group["lr"] = group["share"] * self._rate()
        self.network.train()
        learns = self.step >= self.settings.ear_joins
        self.network.ear.learn_from(FROZEN if learns else len(self.network.ear.kernels))
        user, reference = batch.user.to(self.device), batch.reference.to(self.device)
        with torch.autocast(self.device, torch.bfloat16):
            heard = self.network.ear(user)
            gathered = self.network.gather(user, reference, heard)
            logits = self.network.head(gathered).float()
            letters = self.network.reader(gathered).float()
        targets = batch.targets.to(self.device)
        loss = self._loss(logits, targets)
        if self.teacher is not None:
            loss = loss + self._following(self.teacher, batch, heard.float(), logits)
        if reads := self._reading_weight():
            loss = loss + reads * reading_loss(letters, batch.said)
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        self._average()
        return loss.item()

    def _loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        frames = verdict_loss(logits, targets)
        if not self.settings.peak_weight:
            return frames
        return frames + self.settings.peak_weight * peak_loss(logits, targets)

    def _following(self, teacher: Network, batch: "Batch", heard: Tensor, logits: Tensor) -> Tensor:
        """How far the network is from its teacher, which hears a voice alone, all else as it is."""
        followed = followed_frames(batch.targets)
        voice = followed.any(1)[:, None, None]
        user = torch.where(voice, batch.alone, batch.user).to(self.device)
        reference = batch.reference.masked_fill(voice, SILENCE).to(self.device)
        with torch.no_grad(), torch.autocast(self.device, torch.bfloat16):
            clearly = teacher.ear(user)
            says = teacher.head(teacher.gather(user, reference, clearly)).float()
        followed = (followed | ~voice.squeeze(2)).to(self.device)
        spread = teacher.heard_norm.get_buffer("running_var").sqrt()
        hears = hearing_loss(heard / spread, clearly.float() / spread, followed)
        agrees = agreement_loss(logits, says, followed)
        return self.settings.hearing_weight * hears + self.settings.agreement_weight * agrees

    def _rate(self) -> float:
        settings = self.settings
        warm = min(1.0, (self.step + 1) / settings.warm_up)
        share = self.step / settings.steps
        return settings.rate * warm * (0.01 + 0.99 * 0.5 * (1 + float(np.cos(np.pi * share))))

    def _reading_weight(self) -> float:
        """Falls to nothing: words are learnt first, and what to make of them to the end."""
        left = 1.0 - self.step / (READS_FOR * self.settings.steps)
        return self.settings.reading_weight * max(0.0, left)

    def _average(self) -> None:
        keep = min(self.settings.average, self.step / (self.step + 50))
        ours, theirs = self.averaged.state_dict(), self.network.state_dict()
        for name, value in theirs.items():
            if value.dtype.is_floating_point:
                ours[name].lerp_(value, 1 - keep)
            else:
                ours[name].copy_(value)


def _averaged(path: Path, device: str) -> dict[str, Tensor]:
    """A checkpoint's averaged weights."""
    weights: dict[str, Tensor] = torch.load(path, map_location=device, weights_only=True)[
        "averaged"
    ]
    return weights


def _complete(root: Path) -> list[Path]:
    """The shards that are there; waits for the first."""
    while not (folders := complete_shards(root)):
        time.sleep(5)
    return folders


@dataclass(frozen=True)
class Batch:
    """Some overlaps as tensors, as `Network` takes them, and what is taught about them."""

    user: Tensor
    reference: Tensor
    alone: Tensor
    targets: Tensor
    said: list[str]


def _batches(
    shard: Shard, chosen: NDArray[np.intp], size: int, rng: np.random.Generator
) -> Iterator[Batch]:
    size = max(1, min(size * 160 // shard.user.shape[1], len(chosen)))
    order, around = rng.permutation(chosen), Around.of(shard, chosen)
    for start in range(0, len(order) - size + 1, size):
        rows = np.sort(order[start : start + size]).tolist()
        drawn = (elsewhere(Taught.of(shard, row), around, rng) for row in rows)
        user, reference, alone, targets, said = zip(*drawn, strict=True)
        deaf = torch.from_numpy(rng.random(size) < DEAF_SHARE)
        yield Batch(
            torch.from_numpy(np.stack(user)),
            torch.from_numpy(np.stack(reference)).masked_fill(deaf[:, None, None], SILENCE),
            torch.from_numpy(np.stack(alone)),
            torch.from_numpy(np.stack(targets)).long(),
            list(said),
        )


@torch.no_grad()
def examine(network: Network, folders: list[Path], device: str, *, alone: bool = False) -> Examined:
    """What the network says about shards, or about their sounds alone.

    Only shards of one length go together.
    """
    network.eval()
    evidence: list[NDArray[np.float32]] = []
    classes: list[NDArray[np.int8]] = []
    onsets: list[NDArray[np.int32]] = []
    for folder in folders:
        shard = Shard.load(folder)
        for rows in np.array_split(np.arange(len(shard.user)), 16):
            user = shard.alone if alone else shard.user
            parts = [torch.from_numpy(part[rows]).float() for part in (user, shard.reference)]
            heard, played = (part.to(device) for part in parts)
            logits = network(heard, torch.full_like(played, SILENCE) if alone else played)
            chance = logits.softmax(-1)[..., int(SoundClass.INTERRUPTION)].cpu().numpy()
            chance[shard.targets[rows] == BEFORE_ONSET] = -1.0
            evidence.append(chance)
        classes.append(shard.classes)
        onsets.append(_decided_from(shard))
    return Examined(np.concatenate(evidence), np.concatenate(classes), np.concatenate(onsets))


def _decided_from(shard: Shard) -> NDArray[np.int32]:
    """Where the overlap's final class begins: its onset, or where an interruption follows."""
    final = shard.targets == shard.classes[:, None]
    return np.asarray(np.argmax(final, axis=1) * FRAME_SAMPLES, np.int32)
