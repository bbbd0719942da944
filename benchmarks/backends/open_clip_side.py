# What PyTorch's sides share: a batch that costs no time to make, and answering requests line by line, as in side.mjs.
import json
import sys
import time

import torch


def batch_of(config, batch):
    """Pictures and texts on the CPU; each text ends with the largest id, as CLIP's end-of-text token is."""
    size = config["vision_cfg"]["image_size"]
    tokens = config["text_cfg"].get("context_length", 77)
    vocab = config["text_cfg"].get("vocab_size", 49408)
    index = torch.arange(batch * 3 * size * size)
    images = ((index * 31) % 257).float().div(128).sub(1).reshape(batch, 3, size, size)
    texts = ((torch.arange(batch * tokens) * 613) % (vocab - 2)).reshape(batch, tokens)
    texts[:, -1] = vocab - 1
    return images, texts


def adamw(model):
    return torch.optim.AdamW(
        model.parameters(), lr=1e-5, betas=(0.9, 0.98), eps=1e-6, weight_decay=0.2
    )


def answer(value):
    print("answer " + json.dumps(value), flush=True)


def serve(name, work, synchronize=lambda: None):
    """Runs `work` for each request; `synchronize` waits for a device."""
    answer({"name": name})
    for _ in sys.stdin:
        synchronize()
        start = time.perf_counter()
        value = work()
        synchronize()
        answer({"ms": (time.perf_counter() - start) * 1000, "value": value})
