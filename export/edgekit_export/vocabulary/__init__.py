"""Vocabulary pruning: a tokenizer and the text it shall serve in, a smaller tokenizer and the rows to keep out."""

from edgekit_export.vocabulary.model import prune_model
from edgekit_export.vocabulary.prune import Pruned, prune, prune_words

__all__ = ["Pruned", "prune", "prune_model", "prune_words"]
