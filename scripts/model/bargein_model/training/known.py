"""Weights to begin with, to follow, or to take the mean of."""

import copy
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from bargein_model.composer.shards import Shard, wait_for_shards
from bargein_model.export.reading import read
from bargein_model.network import Network
from bargein_model.training.batches import batches
from bargein_model.weights import place

MODEL_FILE = ".onnx"
BATCH = 64
Known = dict[str, Tensor]
"""A network's parameters and buffers by their names."""


def averaged(checkpoint: Path) -> Known:
    """The average of a run, from its checkpoint.

    Raises:
        FileNotFoundError: there is none.
        KeyError, RuntimeError: it is not one.
    """
    state: dict[str, Known] = torch.load(checkpoint, map_location="cpu", weights_only=True)
    return state["averaged"]


def known(path: Path, like: Network, shards: Path) -> Known:
    """The average of a run, or the weights of a model file, unfolded by what it makes of a shard.

    Args:
        path: a checkpoint, or a file that `export` wrote.
        like: a network of that shape; it stays as it is.
        shards: the folder whose first shard a file's network hears; waits until there is one.

    Raises:
        NotOursError: it is a file of another make.
        FileNotFoundError: there is none.
        KeyError, RuntimeError: it is not a checkpoint, or one of another network.
    """
    if path.suffix != MODEL_FILE:
        return averaged(path)
    weights, network = read(path), copy.deepcopy(like).cpu()
    shard = Shard.load(wait_for_shards(shards)[0])
    every = np.arange(len(shard.user))
    heard = (
        (one.user, one.reference) for one in batches(shard, every, BATCH, np.random.default_rng(1))
    )
    place(weights, network, heard)
    return network.state_dict()
