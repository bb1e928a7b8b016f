"""What sets one family of vision-language models apart: a text model of its own beside eyes, under other names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from edgekit.errors import ModelError
from edgekit_export.architectures.architecture import Architecture
from edgekit_export.architectures.settings import MAX_LAYERS, Settings
from edgekit_export.architectures.vision import VisionShape

MAX_SIDE = 4096
"""Pixels of a picture that a tower has positions for."""


@dataclass(frozen=True, slots=True)
class PictureFamily:
    """A family of models that look at pictures.

    Attributes:
        name: as ``config.json`` has it in ``model_type``.
        classes: of transformers, as ``config.json`` names them in ``architectures``.
        text: the family of its text model.
        text_usual: what its text model's settings are where the file says nothing.
        placeholder: ``config.json``'s names of the image token's id, and what it is where the file says nothing.
        prefixes: beginning of a tensor's name in a file → what stands in its place here: the name that a text model
            of its own has in transformers, or ours of :mod:`edgekit_export.architectures.vision`.
        unused: beginnings of the names, in the file, of tensors that nothing is computed with.
        read_vision: ``(config.json, its vision_config, hidden size of the text model)`` → shape of the eyes.
        processors: stems of transformers' classes that prepare its pictures.
        norm_offset: what the connector's norm has here above what the file has.
        projects_inputs_first: the file has the connector's projection as ``(inputs, outputs)``.
    """

    name: Literal["idefics3", "gemma3"]
    classes: tuple[str, ...]
    text: Architecture
    text_usual: Mapping[str, Any]
    placeholder: tuple[tuple[str, ...], int]
    prefixes: tuple[tuple[str, str], ...]
    unused: tuple[str, ...]
    read_vision: Callable[[Settings, Settings, int], VisionShape]
    processors: tuple[str, ...]
    norm_offset: float = 0.0
    projects_inputs_first: bool = False

    def renamed(self, name: str) -> str:
        """What a tensor of a file is called here; its own name where it is none of the family's."""
        for theirs, ours in self.prefixes:
            if name.startswith(theirs):
                return ours + name.removeprefix(theirs)
        return name

    def parts(self, config: Mapping[str, Any], where: str) -> tuple[Settings, Settings, Settings]:
        """``config.json`` as a whole, of the text model, and of the eyes.

        Whether a head is tied is said by the whole alone, as transformers reads it.

        Raises:
            ModelError: a part is missing, or of another architecture.
        """
        text, vision = (_part(config, f"{part}_config", where) for part in ("text", "vision"))
        known = f"{self.text.name}{'_text' if self.text.name == 'gemma3' else ''}"
        Settings(text, f"{where}: text_config").expect("model_type", known)
        tied = {"tie_word_embeddings": config.get("tie_word_embeddings")}
        return (
            Settings(config, where),
            Settings({**self.text_usual, **text, **tied}, f"{where}: text_config"),
            Settings(vision, f"{where}: vision_config"),
        )

    def placeholder_of(self, said: Settings) -> int:
        """Id of the token in whose places the features of a picture stand.

        Raises:
            ModelError: it is no whole number.
        """
        names, usual = self.placeholder
        return said.count(next((name for name in names if said.has(name)), names[0]), usual)


def _part(config: Mapping[str, Any], name: str, where: str) -> Mapping[str, Any]:
    found = config.get(name)
    if not isinstance(found, dict):
        raise ModelError(f"{where}: {name}: expected an object, got {type(found).__name__}")
    return found


def tower_sizes(said: Settings, usual: Mapping[str, int]) -> dict[str, Any]:
    """Fields of a shape that all towers have, of ``vision_config``.

    Args:
        said: the file's part.
        usual: hidden, layers, heads, intermediate, image_size, patch, where it says nothing.

    Raises:
        ModelError: one is damaged; other activations or channels than are computed.
    """
    said.expect("hidden_act", "gelu_pytorch_tanh")
    said.expect("num_channels", 3)
    return {
        "hidden": said.count("hidden_size", usual["hidden"]),
        "layers": said.count("num_hidden_layers", usual["layers"], most=MAX_LAYERS),
        "heads": said.count("num_attention_heads", usual["heads"]),
        "intermediate": said.count("intermediate_size", usual["intermediate"]),
        "image_size": said.count("image_size", usual["image_size"], most=MAX_SIDE),
        "patch": said.count("patch_size", usual["patch"], most=MAX_SIDE),
        "epsilon": said.number("layer_norm_eps", 1e-6),
    }
