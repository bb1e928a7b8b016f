"""Models as the Hugging Face hub has them: a folder of ``config.json``, safetensors and a processor's settings."""
