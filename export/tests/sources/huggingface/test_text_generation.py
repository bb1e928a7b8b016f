"""Folders of language models: the very tensors, in transformers' order, with norms as they are multiplied with."""

import json
import shutil

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="edgekit-export[torch] is not installed")
pytest.importorskip("transformers", reason="edgekit-export[transformers] is not installed")
pytest.importorskip("tokenizers", reason="edgekit[text] is not installed")
pytest.importorskip("gguf", reason="edgekit-export[transformers] is not installed")

from edgekit.errors import ModelError  # noqa: E402
from edgekit_export.architectures.architecture import tensor_shapes  # noqa: E402
from edgekit_export.sources.gguf.reader import open_gguf  # noqa: E402
from edgekit_export.sources.huggingface.folder import open_hf_folder  # noqa: E402
from edgekit_export.sources.huggingface.kinds import builder_of, generates_text  # noqa: E402
from edgekit_export.sources.huggingface.text_generation import open_hf_text  # noqa: E402
from edgekit_export.sources.text_reference import reference_model  # noqa: E402
from export.tests.sources.text_checkpoints import (  # noqa: E402
    TEMPLATE,
    tiny_gemma3,
    tiny_llama,
    write_folder,
    write_gguf,
)

MADE = {"llama": tiny_llama, "untied": lambda: tiny_llama(tie_word_embeddings=False), "gemma3": tiny_gemma3}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Name → folder and GGUF file of the same model; the tokenizer is the GGUF file's."""
    found = {}
    for name, make in MADE.items():
        root = tmp_path_factory.mktemp(name)
        file = write_gguf(make(), root / "model.gguf")
        folder = write_folder(make(), root / name)
        (folder / "tokenizer.json").write_bytes(open_gguf(file).words.tokenizer)
        found[name] = folder, file
    return found


def opened(path):
    return open_hf_text(open_hf_folder(path, str(path)))


def changed(folder, tmp_path, **settings):
    """A copy whose ``config.json`` says something else; ``None`` takes a key out."""
    copy = shutil.copytree(folder, tmp_path / "copy")
    config = {**json.loads((copy / "config.json").read_text()), **settings}
    (copy / "config.json").write_text(json.dumps({k: v for k, v in config.items() if v is not None}))
    return copy


@pytest.mark.parametrize("name", MADE)
def test_folder_and_gguf_file_of_a_model_are_read_alike(folders, name):
    folder, file = folders[name]
    ours, theirs = opened(folder), open_gguf(file)
    assert ours.shape == theirs.shape
    for tensor, size in tensor_shapes(ours.shape).items():
        found = ours.read(tensor)
        assert found.dtype == np.float32
        assert found.shape == size
        assert np.array_equal(found.view(np.uint32), theirs.read(tensor).view(np.uint32)), tensor
    assert json.loads(ours.words.tokenizer)["model"] == json.loads(theirs.words.tokenizer)["model"]
    assert ours.words.ends == theirs.words.ends
    assert ours.words.chat_template == TEMPLATE
    assert ours.card.parameters == theirs.card.parameters == sum(p.numel() for p in MADE[name]().parameters())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_halves_and_shards_are_read_as_float32(folders, dtype, tmp_path):
    network = tiny_gemma3()
    folder = write_folder(network, tmp_path / "half", dtype=dtype, max_shard_size="60KB")
    shutil.copy(folders["gemma3"][0] / "tokenizer.json", folder)
    assert len(list(folder.glob("model-*.safetensors"))) > 2
    found = opened(folder)
    wanted = network.to(dtype).float()
    made = dict(reference_model(found).named_parameters())
    for name, values in wanted.named_parameters():
        # a norm less one and above it again loses 2^-24 of rounding
        assert (made[name] - values).abs().max() <= (2**-24 if "norm" in name else 0), name
    assert len(found.sha256) == 64


def test_what_config_json_may_say_of_old(folders, tmp_path):
    """Files before transformers 5 name bases and windows otherwise."""
    old = {
        "rope_parameters": None,
        "rope_theta": 500_000.0,
        "rope_local_base_freq": 5000.0,
        "layer_types": None,
    }
    scaled = {"rope_scaling": {"rope_type": "linear", "factor": 8.0}, "sliding_window_pattern": 3}
    shape = opened(changed(folders["gemma3"][0], tmp_path, **old, **scaled)).shape
    assert [rope.theta for rope in shape.ropes] == [5000.0, 5000.0, 500_000.0] * 2 + [5000.0]
    assert [rope.factor for rope in shape.ropes] == [1.0, 1.0, 8.0] * 2 + [1.0]
    assert shape.windows == (16, 16, None, 16, 16, None, 16)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        (
            "llama",
            {"architectures": ["MambaForCausalLM"]},
            "supported are Gemma3ForCausalLM, LlamaForCausalLM",
        ),
        ("llama", {"rope_parameters": {"rope_type": "llama3", "factor": 8.0}}, "rope_type is 'llama3'"),
        ("llama", {"rope_parameters": 3}, "rope_parameters: expected an object"),
        ("llama", {"attention_bias": True}, "attention_bias is True"),
        ("llama", {"hidden_act": "gelu"}, "hidden_act is 'gelu'"),
        ("llama", {"hidden_size": None}, "hidden_size is missing"),
        ("llama", {"hidden_size": -3}, "hidden_size: expected a whole number"),
        ("llama", {"hidden_size": 66, "head_dim": None}, "multiple of its 4 heads, got 66"),
        ("llama", {"rms_norm_eps": "small"}, "rms_norm_eps: expected a number above 0"),
        ("llama", {"intermediate_size": 97}, r"expected shape \(97, 64\), got \(96, 64\)"),
        ("llama", {"num_hidden_layers": 3}, "has no tensor model.layers.2"),
        ("llama", {"num_hidden_layers": 1}, "has 9 tensors that LlamaForCausalLM is not supported with"),
        ("llama", {"tie_word_embeddings": False}, "has no tensor lm_head.weight"),
        ("llama", {"quantization_config": {"quant_method": "gptq"}}, r"quantised \(gptq\)"),
        ("llama", {"vocab_size": 9}, "expected shape"),
        ("gemma3", {"final_logit_softcapping": 30.0}, "final_logit_softcapping is 30.0"),
        ("gemma3", {"layer_types": ["full_attention"]}, "layer_types: expected 7 of"),
        ("gemma3", {"use_bidirectional_attention": True}, "use_bidirectional_attention is True"),
        ("gemma3", {"rope_parameters": {"rope_theta": 1.0}}, "rope_parameters: expected an object of"),
    ],
)
def test_what_is_not_supported_is_said(folders, name, settings, message, tmp_path):
    with pytest.raises(ModelError, match=message):
        opened(changed(folders[name][0], tmp_path, **settings))


def test_ends_are_those_of_generation_config(folders, tmp_path):
    copy = changed(folders["llama"][0], tmp_path)
    (copy / "generation_config.json").write_text('{"eos_token_id": [5, 7]}')
    assert opened(copy).words.ends == (0, 2, 5, 7)
    (copy / "generation_config.json").write_text('{"eos_token_id": 5000}')
    with pytest.raises(ModelError, match="eos_token_id: expected tokens of 0 to"):
        opened(copy)


def test_a_first_token_is_what_the_tokenizer_puts_there(folders, tmp_path):
    copy = changed(folders["gemma3"][0], tmp_path)
    known = json.loads((copy / "tokenizer.json").read_text())
    known["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "<bos>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
        "special_tokens": {"<bos>": {"id": "<bos>", "ids": [2], "tokens": ["<bos>"]}},
    }
    (copy / "tokenizer.json").write_text(json.dumps(known))
    assert opened(copy).words.first == 2
    assert opened(folders["gemma3"][0]).words.first is None
    known["post_processor"]["single"].reverse()
    (copy / "tokenizer.json").write_text(json.dumps(known))
    with pytest.raises(ModelError, match="expected one token before it at most"):
        opened(copy)


def test_damaged_values_are_refused_when_they_are_read(folders, tmp_path):
    copy = changed(folders["llama"][0], tmp_path)
    network = tiny_llama()
    with torch.no_grad():
        network.model.norm.weight[3] = float("nan")
    network.save_pretrained(copy)
    found = opened(copy)
    with pytest.raises(ModelError, match="values that are not finite"):
        found.read("norm.weight")
    with pytest.raises(ModelError, match="has no tensor lm_head.weight"):
        found.read("lm_head.weight")


def test_language_models_are_routed_another_way(folders, tmp_path):
    folder = open_hf_folder(folders["llama"][0], "here")
    assert generates_text(folder)
    with pytest.raises(ModelError, match="ForCausalLM"):
        builder_of(folder)
    other = open_hf_folder(changed(folders["llama"][0], tmp_path, architectures=["BertModel"]), "here")
    assert not generates_text(other)


def test_templates_are_read_from_a_file_of_their_own_and_the_default_of_several_is_taken(folders, tmp_path):
    copy = changed(folders["llama"][0], tmp_path)
    said = copy / "tokenizer_config.json"
    several = [{"name": "tools", "template": "T"}, {"name": "default", "template": "D"}]
    said.write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "chat_template": several}))
    assert opened(copy).words.chat_template == "D"
    said.write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "chat_template": several[:1]}))
    with pytest.raises(ModelError, match="several chat templates and none is named default"):
        opened(copy)
    said.write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"}))
    assert opened(copy).words.chat_template == ""
    (copy / "chat_template.jinja").write_text("J")
    assert opened(copy).words.chat_template == "J"


def test_a_tokenizer_of_another_model(folders, tmp_path):
    copy = changed(folders["llama"][0], tmp_path)
    shutil.copy(folders["gemma3"][0] / "tokenizer.json", copy)
    with pytest.raises(ModelError, match="has ids up to 302, and config.json a vocab_size of 288"):
        opened(copy)


def test_tokens_for_pictures_that_the_embedding_has_no_row_for_are_left_out(folders, tmp_path):
    """As ``<image_soft_token>`` of Gemma 3's text models."""
    copy = changed(folders["gemma3"][0], tmp_path)
    known = json.loads((copy / "tokenizer.json").read_text())
    known["added_tokens"].append({**known["added_tokens"][0], "id": 320, "content": "<image>"})
    (copy / "tokenizer.json").write_text(json.dumps(known))
    found = json.loads(opened(copy).words.tokenizer)
    assert max(token["id"] for token in found["added_tokens"]) == 7
    assert found["model"] == json.loads(opened(folders["gemma3"][0]).words.tokenizer)["model"]


def test_tensors_of_other_types_or_in_two_files(folders, tmp_path):
    from safetensors.torch import load_file, save_file

    copy = changed(folders["llama"][0], tmp_path)
    tensors = load_file(copy / "model.safetensors")
    save_file({**tensors, "model.norm.weight": torch.ones(64, dtype=torch.int8)}, copy / "model.safetensors")
    with pytest.raises(ModelError, match=r"'model.norm.weight': expected F32, F16, BF16, got I8"):
        opened(copy)
    (copy / "model.safetensors").unlink()
    names = {"a": "one.safetensors", "b": "two.safetensors"}
    for name in names.values():
        save_file(tensors, copy / name)
    (copy / "model.safetensors.index.json").write_text(json.dumps({"weight_map": names}))
    with pytest.raises(ModelError, match="is in two files"):
        opened(copy)
