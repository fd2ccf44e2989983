"""What the tests of this folder share."""

import pytest
from bargein_server.models.onnx import OnnxModel
from support.models import write_model


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> OnnxModel:
    """A model that adds up loudness: the longer and the louder, the surer of an interruption."""
    return OnnxModel.open(write_model(tmp_path_factory.mktemp("model") / "tiny.onnx"))
