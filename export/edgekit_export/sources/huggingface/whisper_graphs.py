"""Whisper as two graphs, out of a transformers model's own layers (arXiv 2212.04356, section 2.2).

transformers' decoder keeps its cache in objects and makes masks by tracing functions, neither of which a graph has; so
the decoder's steps are written out here over its weights, and are proven equal by comparison.
"""

from __future__ import annotations

from typing import Any


def encoder_of(network: Any) -> Any:  # noqa: ANN401 (torch and transformers are optional)
    """Log-mel ``(1, mels, frames)`` → key and value of each decoder layer's cross-attention,
    ``(1, heads, positions, width)``: computed once a window, not once a token."""
    import torch

    class Encoder(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = network.model.encoder
            self.attentions = torch.nn.ModuleList(
                layer.encoder_attn for layer in network.model.decoder.layers
            )

        def forward(self, features: Any) -> Any:  # noqa: ANN401
            hidden = self.encoder(features).last_hidden_state
            made = []
            for attention in self.attentions:
                made += [
                    _heads(attention.k_proj(hidden), attention),
                    _heads(attention.v_proj(hidden), attention),
                ]
            return tuple(made)

    return Encoder().eval()


def decoder_of(network: Any) -> Any:  # noqa: ANN401
    """Ids, memory and past keys and values → scores, and present keys and values.

    The output's weights are a copy of the token table's: a table is stored by rows, a linear layer by columns, and each
    is reduced in its own way.
    """
    import torch

    decoder, count = network.model.decoder, len(network.model.decoder.layers)

    class Decoder(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.decoder = decoder
            self.output = torch.nn.Parameter(network.proj_out.weight.detach().T.contiguous())
            self.scale = network.config.d_model**0.5 if network.config.scale_embedding else 1.0

        def forward(self, ids: Any, *kept: Any) -> Any:  # noqa: ANN401
            memory, past = kept[: 2 * count], kept[2 * count :]
            before, tokens = past[0].shape[2], ids.shape[1]
            places = before + torch.arange(tokens)
            hidden = self.decoder.embed_tokens(ids) * self.scale + self.decoder.embed_positions.weight[places]
            earlier = torch.arange(before + tokens).unsqueeze(0) <= places.unsqueeze(1)
            mask = torch.where(earlier, 0.0, torch.finfo(torch.float32).min)
            present = []
            for i, layer in enumerate(self.decoder.layers):
                normed = layer.self_attn_layer_norm(hidden)
                key = torch.cat([past[2 * i], _heads(layer.self_attn.k_proj(normed), layer.self_attn)], dim=2)
                value = torch.cat(
                    [past[2 * i + 1], _heads(layer.self_attn.v_proj(normed), layer.self_attn)], dim=2
                )
                present += [key, value]
                hidden = hidden + _attend(layer.self_attn, normed, key, value, mask)
                normed = layer.encoder_attn_layer_norm(hidden)
                hidden = hidden + _attend(layer.encoder_attn, normed, memory[2 * i], memory[2 * i + 1], None)
                normed = layer.final_layer_norm(hidden)
                hidden = hidden + layer.fc2(layer.activation_fn(layer.fc1(normed)))
            return (self.decoder.layer_norm(hidden) @ self.output, *present)

    return Decoder().eval()


def _heads(values: Any, attention: Any) -> Any:  # noqa: ANN401
    """``(1, n, model)`` → ``(1, heads, n, width)``."""
    return values.view(1, -1, attention.num_heads, attention.head_dim).transpose(1, 2)


def _attend(attention: Any, normed: Any, key: Any, value: Any, mask: Any) -> Any:  # noqa: ANN401
    query = _heads(attention.q_proj(normed) * attention.scaling, attention)
    scores = query @ key.transpose(2, 3)
    weights = (scores if mask is None else scores + mask).softmax(dim=-1)
    mixed = (weights @ value).transpose(1, 2).reshape(1, -1, attention.num_heads * attention.head_dim)
    return attention.out_proj(mixed)
