# PyTorch's side: training steps of open_clip's model on the CPU, in float32 or under bfloat16 autocast. Arguments: model
# configuration as JSON, batch, precision (fp32 or mixed-bf16). Requests come line by line, as in side.mjs.
import json
import sys
import time

import open_clip
import torch
from open_clip.loss import ClipLoss

config, batch, precision = json.loads(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
torch.manual_seed(0)
model = open_clip.CLIP(**config)
model.train()
optimizer = torch.optim.AdamW(
    model.parameters(), lr=1e-5, betas=(0.9, 0.98), eps=1e-6, weight_decay=0.2
)
size = config["vision_cfg"]["image_size"]
tokens = config["text_cfg"].get("context_length", 77)
vocab = config["text_cfg"].get("vocab_size", 49408)
index = torch.arange(batch * 3 * size * size)
images = ((index * 31) % 257).float().div(128).sub(1).reshape(batch, 3, size, size)
texts = ((torch.arange(batch * tokens) * 613) % (vocab - 2)).reshape(batch, tokens)
texts[:, -1] = vocab - 1
loss_of = ClipLoss()


def step():
    optimizer.zero_grad(set_to_none=True)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "mixed-bf16"):
        image_features, text_features, scale = model(images, texts)
        loss = loss_of(image_features, text_features, scale)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item()


def answer(value):
    print("answer " + json.dumps(value), flush=True)


answer({"name": f"open_clip {open_clip.__version__}, PyTorch {torch.__version__}, {torch.get_num_threads()} threads"})
for line in sys.stdin:
    request = json.loads(line)
    start = time.perf_counter()
    loss = step()
    answer({"ms": (time.perf_counter() - start) * 1000, "value": loss})
