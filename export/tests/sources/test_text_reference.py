"""What is read from a checkpoint, given back to transformers, is the model that was written."""

import pytest

torch = pytest.importorskip("torch", reason="edgekit-export[torch] is not installed")
pytest.importorskip("transformers", reason="edgekit-export[transformers] is not installed")
pytest.importorskip("gguf", reason="edgekit-export[transformers] is not installed")

from edgekit_export.sources.gguf.reader import open_gguf  # noqa: E402
from edgekit_export.sources.text_reference import reference_model  # noqa: E402
from export.tests.sources.text_checkpoints import tiny_gemma3, tiny_llama, write_gguf  # noqa: E402

IDS = torch.arange(40)[None] * 7 % 280


@pytest.mark.parametrize("network", [tiny_llama(), tiny_llama(tie_word_embeddings=False), tiny_gemma3()])
def test_a_gguf_file_gives_the_model_that_was_written(network, tmp_path):
    made = reference_model(open_gguf(write_gguf(network, tmp_path / "model.gguf")))
    wanted = dict(network.named_parameters())
    for name, values in made.named_parameters():
        # Gemma's norms are stored above one, so that they lose their last bits: 2^-24 of rounding
        assert (values - wanted[name]).abs().max() <= (2**-24 if "norm" in name else 0), name
    with torch.no_grad():
        assert torch.allclose(made(IDS).logits, network(IDS).logits, atol=2e-6, rtol=0)


def test_it_ends_where_the_words_say(tmp_path):
    made = reference_model(open_gguf(write_gguf(tiny_llama(), tmp_path / "model.gguf")))
    assert made.generation_config.eos_token_id == [0, 2]
    assert made.config.vocab_size == 288
