"""The training loop: shards in, checkpoints out; stops at any moment and goes on from there."""

import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from bargein_model.composer.shards import Shard, wait_for_shards
from bargein_model.contract import SoundClass
from bargein_model.network import Network
from bargein_model.speech_embedding import FROZEN
from bargein_model.training.batches import Batch, batches
from bargein_model.training.keeper import Keeper
from bargein_model.training.known import Known
from bargein_model.training.loss import peak_loss, reading_loss, verdict_loss
from bargein_model.training.optimizer import Optimizer
from bargein_model.training.teacher import Teacher

EAR_JOINS = 1500
"""The step from which on it does: what stands on it should know something by then."""
READS_FOR = 2 / 3
"""Share of the run in which the network reads along, less and less."""


class NothingLeftError(ValueError):
    """So much is left out that there is nothing to train on."""

    def __init__(self, left_out: tuple[str, ...]) -> None:
        super().__init__(f"without {', '.join(left_out)} nothing is left to train on")


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
    teach: tuple[SoundClass, ...] = ()
    """Overlaps without one of these stay what they were to `keep`'s weights; empty: all is taught.

    Then the ear stays, too, and the statistics of all normalisations."""


class Run:
    """A network in training, its average, and how far it is."""

    def __init__(self, settings: Settings, device: str) -> None:
        torch.manual_seed(settings.seed)
        self.settings, self.device = settings, device
        self.network = Network(settings.dropout).to(device)
        self.averaged = copy.deepcopy(self.network).eval()
        self.teacher: Teacher | None = None
        self.keeper: Keeper | None = None
        self.optimizer = Optimizer(self.network, settings.decay)
        self.step = 0
        self.seen = Counter[str]()
        """How often each shard was taken."""

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

    def begin_from(self, weights: Known) -> None:
        """Takes them as this run's first."""
        self.network.load_state_dict(weights)
        self.averaged.load_state_dict(weights)

    def follow(self, weights: Known) -> None:
        """Takes them for a teacher."""
        network = copy.deepcopy(self.averaged)
        network.load_state_dict(weights)
        self.teacher = Teacher(network, self.device)

    def keep(self, weights: Known) -> None:
        """Says what they say wherever nothing else is taught."""
        network = copy.deepcopy(self.averaged)
        network.load_state_dict(weights)
        self.keeper = Keeper(network, self.settings.teach, self.device)

    def take_mean_of(self, *several: Known) -> None:
        """Takes their mean as the average, for export.

        Moments of one run, or runs that began from each other, lie in one valley, where the mean is
        as good as any and less at home in its training (Wortsman et al., 2022, "Model soups").
        """
        mean = {
            name: torch.stack([weights[name].double() for weights in several]).mean(0)
            for name in several[0]
        }
        self.averaged.load_state_dict(mean)

    def train(self, root: Path) -> Iterator[float]:
        """Trains to the end; yields the loss after every step.

        Raises:
            NothingLeftError: a shard has no overlap without the sources to leave out.
        """
        rng = np.random.default_rng([self.settings.seed, self.step])
        while self.step < self.settings.steps:
            shard = Shard.load(self._least_seen(root, rng))
            chosen = shard.without(self.settings.leave_out)
            if not len(chosen):
                raise NothingLeftError(self.settings.leave_out)
            for batch in batches(shard, chosen, self.settings.batch, rng):
                yield self._learn(batch)
                if self.step >= self.settings.steps:
                    return

    def _least_seen(self, root: Path, rng: np.random.Generator) -> Path:
        """One of the shards that this run took least often."""
        folders = wait_for_shards(root)
        least = min(self.seen[folder.name] for folder in folders)
        fresh = [folder for folder in folders if self.seen[folder.name] == least]
        chosen = fresh[int(rng.integers(len(fresh)))]
        self.seen[chosen.name] += 1
        return chosen

    def _learn(self, batch: Batch) -> float:
        self._prepare()
        user, reference = batch.user.to(self.device), batch.reference.to(self.device)
        with torch.autocast(self.device, torch.bfloat16):
            heard = self.network.ear(user)
            gathered = self.network.gather(user, reference, heard)
            logits = self.network.head(gathered).float()
            letters = self.network.reader(gathered).float()
        if self.keeper is None:
            loss = self._loss(logits, batch.targets.to(self.device))
        else:
            loss = self.keeper.loss(batch, heard, logits, self._loss)
        if self.teacher is not None:
            hearing, agreement = self.teacher.distance(batch, heard.float(), logits)
            loss = loss + self.settings.hearing_weight * hearing
            loss = loss + self.settings.agreement_weight * agreement
        if reads := self._reading_weight():
            loss = loss + reads * reading_loss(letters, batch.said)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step(self._rate())
        self.step += 1
        self._average()
        return loss.item()

    def _prepare(self) -> None:
        self.network.train()
        learns = self.step >= self.settings.ear_joins and self.keeper is None
        self.network.ear.learn_from(FROZEN if learns else len(self.network.ear.kernels))
        if self.keeper is not None:
            for part in self.network.modules():
                if isinstance(part, nn.BatchNorm1d):
                    part.eval()

    def _loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        frames = verdict_loss(logits, targets)
        if not self.settings.peak_weight:
            return frames
        return frames + self.settings.peak_weight * peak_loss(logits, targets)

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
