"""Models for the tests of this folder."""

from pathlib import Path

import pytest
from bargein_server.models.onnx import OnnxModel
from support.models import write_model


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> OnnxModel:
    """A model whose answer depends on all that came before, in order."""
    return OnnxModel.open(write_model(tmp_path_factory.mktemp("model") / "tiny.onnx"))


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    """Where a test may write a model."""
    return tmp_path / "model.onnx"
