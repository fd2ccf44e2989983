"""The training loop: shards in, checkpoints out; stops at any moment and goes on from there."""

import copy
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bargein_model.composer.overlap import BEFORE_ONSET
from bargein_model.composer.shards import Shard, complete_shards
from bargein_model.contract import FRAME_SAMPLES, SoundClass
from bargein_model.features import USER_BANDS
from bargein_model.network import WIDTH, Network
from bargein_model.training.figures import Examined
from bargein_model.training.loss import hearing_loss, verdict_loss
from bargein_model.training.teacher import COMPONENTS, Teacher

SILENCE = -9.0
"""The features of digital silence."""


@dataclass(frozen=True)
class Settings:
    """Of one training run."""

    steps: int = 12_000
    batch: int = 64
    rate: float = 2.5e-3
    warm_up: int = 300
    decay: float = 0.02
    average: float = 0.998
    hearing_weight: float = 0.5
    seed: int = 1


@dataclass(frozen=True)
class Losses:
    """Of one step."""

    verdict: float
    hearing: float


class Run:
    """A network in training, its average, and how far it is."""

    def __init__(self, settings: Settings, teacher: Teacher | None, device: str) -> None:
        torch.manual_seed(settings.seed)
        self.settings, self.teacher, self.device = settings, teacher, device
        self.network = Network().to(device)
        self.hearing = nn.Linear(WIDTH, COMPONENTS).to(device)
        self.averaged = copy.deepcopy(self.network).eval()
        parameters = [*self.network.parameters(), *self.hearing.parameters()]
        self.optimizer = torch.optim.AdamW(parameters, settings.rate, weight_decay=settings.decay)
        self.step = 0

    def save(self, path: Path) -> None:
        """Writes everything that `restore` needs."""
        state = {
            "step": self.step,
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "hearing": self.hearing.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        part = path.with_suffix(".part")
        torch.save(state, part)
        part.rename(path)

    def restore(self, path: Path) -> None:
        """Goes on from a saved state."""
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.step = state["step"]
        for name in ("network", "averaged", "hearing", "optimizer"):
            getattr(self, name).load_state_dict(state[name])

    def begin_from(self, path: Path) -> None:
        """Takes another run's averaged weights as this one's first."""
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.network.load_state_dict(state["averaged"])
        self.averaged.load_state_dict(state["averaged"])

    def train(self, root: Path) -> Iterator[Losses]:
        """Trains to the end; yields the losses after every step."""
        rng = np.random.default_rng([self.settings.seed, self.step])
        while self.step < self.settings.steps:
            for batch in _batches(_some_shard(root, rng), self.settings.batch, rng):
                yield self._learn(batch)
                if self.step >= self.settings.steps:
                    return

    def _learn(self, batch: "Batch") -> Losses:
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate()
        self.network.train()
        with torch.autocast(self.device, torch.bfloat16):
            logits, hidden = self.network(
                batch.user.to(self.device), batch.reference.to(self.device)
            )
        logits, hidden = logits.float(), hidden.float()
        verdict = verdict_loss(logits, batch.targets.to(self.device))
        loss, hearing = verdict, torch.zeros(())
        if self.teacher is not None and self.settings.hearing_weight > 0:
            taught = torch.from_numpy(self.teacher.targets(batch.ticks)).to(self.device)
            hearing = hearing_loss(self.hearing(hidden), taught)
            loss = verdict + self.settings.hearing_weight * hearing
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        self._average()
        return Losses(verdict.item(), hearing.item())

    def _rate(self) -> float:
        settings = self.settings
        warm = min(1.0, (self.step + 1) / settings.warm_up)
        share = self.step / settings.steps
        return settings.rate * warm * (0.01 + 0.99 * 0.5 * (1 + float(np.cos(np.pi * share))))

    def _average(self) -> None:
        keep = min(self.settings.average, self.step / (self.step + 50))
        ours, theirs = self.averaged.state_dict(), self.network.state_dict()
        for name, value in theirs.items():
            if value.dtype.is_floating_point:
                ours[name].lerp_(value, 1 - keep)
            else:
                ours[name].copy_(value)


@dataclass(frozen=True)
class Batch:
    """Some overlaps as tensors; ticks stay an array."""

    user: Tensor
    reference: Tensor
    targets: Tensor
    ticks: NDArray[np.int32]


def _some_shard(root: Path, rng: np.random.Generator) -> Shard:
    while not (folders := complete_shards(root)):
        time.sleep(5)
    return Shard.load(folders[int(rng.integers(len(folders)))])


def _batches(shard: Shard, size: int, rng: np.random.Generator) -> Iterator[Batch]:
    size = max(1, size * 160 // shard.user.shape[1])
    order = rng.permutation(len(shard.user))
    for start in range(0, len(order) - size + 1, size):
        chosen = order[start : start + size]
        user = _masked(_warped(torch.from_numpy(shard.user[chosen]).float(), rng), rng)
        reference = torch.from_numpy(shard.reference[chosen]).float()
        deaf = torch.from_numpy(rng.random(size) < 0.12)
        reference[deaf] = SILENCE
        targets = torch.from_numpy(shard.targets[chosen].astype(np.int64))
        yield Batch(user, reference, targets, shard.ticks[chosen])


def _warped(user: Tensor, rng: np.random.Generator) -> Tensor:
    """Moves formants up or down by up to a tenth of the mel axis: another vocal tract (VTLP)."""
    places = np.arange(USER_BANDS)
    factors = np.clip(rng.normal(1.0, 0.05, len(user)), 0.88, 1.12)
    sources = np.clip(places[None] * factors[:, None], 0, USER_BANDS - 1.001)
    lower, share = sources.astype(np.int64), (sources % 1).astype(np.float32)
    matrices = np.zeros((len(user), USER_BANDS, USER_BANDS), np.float32)
    rows = np.arange(len(user))[:, None]
    matrices[rows, lower, places[None]] = 1 - share
    matrices[rows, lower + 1, places[None]] += share
    frames = user.reshape(len(user), -1, USER_BANDS)
    return torch.bmm(frames, torch.from_numpy(matrices)).reshape(user.shape)


def _masked(user: Tensor, rng: np.random.Generator) -> Tensor:
    """Hides a few neighbouring bands in a third of the overlaps (after SpecAugment)."""
    bands = user.view(*user.shape[:2], 2, USER_BANDS)
    for index in np.flatnonzero(rng.random(len(user)) < 0.33):
        width = int(rng.integers(1, 7))
        first = int(rng.integers(USER_BANDS - width))
        bands[index, :, :, first : first + width] = float(rng.uniform(SILENCE, -5.0))
    return user


@torch.no_grad()
def examine(network: Network, folders: list[Path], device: str) -> Examined:
    """What the network says about shards; only shards of one length go together."""
    network.eval()
    evidence, classes, onsets = [], [], []
    for folder in folders:
        shard = Shard.load(folder)
        for rows in np.array_split(np.arange(len(shard.user)), 8):
            user = torch.from_numpy(shard.user[rows]).float().to(device)
            reference = torch.from_numpy(shard.reference[rows]).float().to(device)
            logits, _ = network(user, reference)
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
