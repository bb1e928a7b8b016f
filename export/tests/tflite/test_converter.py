import sys

import pytest

from edgekit.errors import EnvironmentLacks
from edgekit_export.tflite.converter import require_converter


@pytest.mark.parametrize("missing", ["litert_torch", "ai_edge_quantizer"])
def test_without_the_converter_the_remedy_is_the_environment(monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(EnvironmentLacks, match="--format tflite: .*make export-env") as caught:
        require_converter()
    assert caught.value.exit_code == 3
