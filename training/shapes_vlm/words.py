"""The tokenizer and the processor: byte-level BPE of 384 tokens with SmolVLM's marks, one tile of 64 pixels."""

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import Idefics3ImageProcessorPil, Idefics3Processor, PreTrainedTokenizerFast

from training.shapes_vlm.pictures import SIDE_PX
from training.shapes_vlm.questions import all_phrases

VOCABULARY = 384
IMAGE_TOKENS = 16
START, END, PAD = "<|im_start|>", "<end_of_utterance>", "<|endoftext|>"
FAKE, GLOBAL, IMAGE = "<fake_token_around_image>", "<global-img>", "<image>"
ROLES = ("User: ", "\nAssistant: ", "\nUser: ", "System: ")

# SmolVLM's prompt, in our own words.
CHAT_TEMPLATE = (
    "<|im_start|>"
    "{% for message in messages %}"
    "{{ message['role'] | capitalize }}:"
    "{% if message['content'] is string %} {{ message['content'] }}"
    "{% else %}"
    "{% if message['content'][0]['type'] != 'image' %} {% endif %}"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% elif part['type'] == 'text' %}{{ part['text'] }}{% endif %}"
    "{% endfor %}"
    "{% endif %}"
    "<end_of_utterance>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)


def make_tokenizer() -> PreTrainedTokenizerFast:
    """A tokenizer of exactly `VOCABULARY` tokens: any text can be written, these questions in few tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        min_frequency=1,
        special_tokens=[PAD, START, END, FAKE, GLOBAL, IMAGE],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    phrases = all_phrases()
    tokenizer.train_from_iterator([*phrases, *(f" {phrase}" for phrase in phrases), *ROLES * 20], trainer)
    if tokenizer.get_vocab_size() != VOCABULARY:
        raise ValueError(f"the phrases give {tokenizer.get_vocab_size()} tokens, expected {VOCABULARY}")
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=START,
        eos_token=END,
        pad_token=PAD,
        padding_side="left",
        model_max_length=1024,
        clean_up_tokenization_spaces=False,
    )


def make_processor() -> Idefics3Processor:
    """What turns a picture and a question into the network's input; a 64-pixel picture stays as it is."""
    pictures = Idefics3ImageProcessorPil(
        size={"longest_edge": SIDE_PX},
        max_image_size={"longest_edge": SIDE_PX},
        do_image_splitting=False,
        image_mean=[0.5, 0.5, 0.5],
        image_std=[0.5, 0.5, 0.5],
    )
    tokenizer = make_tokenizer()
    return Idefics3Processor(pictures, tokenizer, image_seq_len=IMAGE_TOKENS, chat_template=CHAT_TEMPLATE)
