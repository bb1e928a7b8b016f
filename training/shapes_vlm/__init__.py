"""A small vision-language model of coloured shapes: pictures, questions, tokenizer, network and its training."""
