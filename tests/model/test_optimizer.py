"""How a network's weights move: matrices equally far in all directions, the ear less far."""

import copy

import pytest
import torch
from bargein_model.network import MEMORY, Network
from bargein_model.speech_embedding import FROZEN
from bargein_model.training.optimizer import EAR_SHARE, Optimizer
from torch import Tensor

RATE = 1e-3


@pytest.fixture(scope="module")
def moved() -> dict[str, Tensor]:
    """By how much one step moved each of a network's weights; the ear's lowest layers are kept."""
    torch.manual_seed(7)
    network = Network()
    network.ear.learn_from(FROZEN)
    before = copy.deepcopy(network.state_dict())
    optimizer = Optimizer(network, decay=0.0)
    heard = network(torch.randn(2, 40, 80) - 5, torch.randn(2, 40, 20) - 5)
    torch.autograd.backward(heard.square().mean())
    optimizer.step(RATE)
    assert all(weights.grad is None for weights in network.parameters())
    return {name: after - before[name] for name, after in network.state_dict().items()}


def rms(change: Tensor) -> float:
    return float(change.square().mean().sqrt())


def test_a_matrix_moves_equally_far_in_all_directions(moved: dict[str, Tensor]) -> None:
    far = torch.linalg.svdvals(moved["heard.weight"]) / (0.2 * RATE * 288**0.5)
    assert far.max() < 1.3
    assert far.median() > 0.7


def test_the_memory_s_gates_move_each_by_itself(moved: dict[str, Tensor]) -> None:
    gates = moved["memory.weight_hh_l0"].reshape(3, MEMORY, MEMORY)
    for gate in gates:
        assert 0.05 * RATE < rms(gate) < 0.3 * RATE


def test_the_ear_moves_less_far_and_its_lowest_layers_stay(moved: dict[str, Tensor]) -> None:
    kernels = [change for name, change in moved.items() if name.startswith("ear.kernels")]
    assert all(rms(kernel) == 0.0 for kernel in kernels[:FROZEN])
    for kernel in kernels[FROZEN:]:
        assert 0.1 * RATE * EAR_SHARE < rms(kernel) < 0.3 * RATE * EAR_SHARE


def test_what_is_no_matrix_moves_as_far_as_the_rate_says(moved: dict[str, Tensor]) -> None:
    for name in ("head.weight", "head.bias", "memory.bias_hh_l0", "heard_norm.weight"):
        assert 0.5 * RATE < rms(moved[name]) <= 1.01 * RATE


def test_what_a_run_goes_on_from_is_all_there_is() -> None:
    def step(network: Network, optimizer: Optimizer) -> None:
        torch.manual_seed(3)
        heard = network(torch.randn(2, 40, 80) - 5, torch.randn(2, 40, 20) - 5)
        torch.autograd.backward(heard.square().mean())
        optimizer.step(RATE)

    network = Network()
    optimizer = Optimizer(network, decay=0.02)
    step(network, optimizer)
    again = Network()
    again.load_state_dict(network.state_dict())
    resumed = Optimizer(again, decay=0.02)
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for one, other in ((network, optimizer), (again, resumed)):
        step(one, other)
    for mine, theirs in zip(network.parameters(), again.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs)
