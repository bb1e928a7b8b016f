"""A :class:`TextModel` as transformers' own model: what graphs, runtimes and quantisers are compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgekit_export.architectures.architecture import tensor_shapes
from edgekit_export.architectures.registry import by_gguf_name
from edgekit_export.quantize.blockwise import Blockwise
from edgekit_export.sources.huggingface.network import quiet_transformers, require_transformers
from edgekit_export.sources.text_model import TextModel

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def reference_model(model: TextModel) -> PreTrainedModel:
    """Transformers' model in float32 with these very weights, those in codes dequantised; eager attention, no dropout.

    ``generate`` ends where :attr:`Words.ends` says. Beside the model itself one tensor is held at a time.

    Raises:
        EnvironmentLacks: transformers or torch is not installed.
        ModelError: a tensor cannot be read.
    """
    require_transformers()
    import torch
    import transformers
    from transformers.initialization import no_init_weights

    architecture = by_gguf_name(model.shape.architecture, model.origin)
    config = getattr(transformers, architecture.config_class)(
        **architecture.config(model.shape),
        bos_token_id=model.words.first,
        eos_token_id=list(model.words.ends),
        pad_token_id=model.words.ends[0],  # or generate complains
    )
    config._attn_implementation = "eager"
    with quiet_transformers(), no_init_weights():
        made: Any = getattr(transformers, architecture.classes[0])(config).eval().requires_grad_(False)
    made.tie_weights()
    parameters = dict(made.named_parameters())
    for name, size in tensor_shapes(model.shape).items():
        found = model.read(name)
        values = found.dequantized() if isinstance(found, Blockwise) else found
        if len(size) == 1 and architecture.norm_offset:
            values = values - np.float32(architecture.norm_offset)
        parameters.pop(architecture.hf_name(name)).copy_(torch.from_numpy(np.ascontiguousarray(values)))
    assert not parameters, f"not filled: {sorted(parameters)}"
    network: PreTrainedModel = made
    return network
