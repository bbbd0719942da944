# PyTorch's side on an NVIDIA GPU: open_clip's training step, or both towers' inference, eager or compiled. Argument: what
# to open as JSON (config, kind, batch, precision: fp32, TF32, mixed-fp16, mixed-bf16; mode: eager, compiled). Requests
# come line by line, as in side.mjs.
import json
import sys
import time

import open_clip
import torch
from open_clip.loss import ClipLoss

wanted = json.loads(sys.argv[1])
config, batch, precision = wanted["config"], wanted["batch"], wanted["precision"]
if not torch.cuda.is_available():
    sys.exit("bench: PyTorch: expected a CUDA device, got none.")
torch.manual_seed(0)
torch.backends.cuda.matmul.allow_tf32 = precision != "fp32"
torch.backends.cudnn.allow_tf32 = precision != "fp32"
low = {"mixed-fp16": torch.float16, "mixed-bf16": torch.bfloat16}.get(precision)

model = open_clip.CLIP(**config).cuda()
size = config["vision_cfg"]["image_size"]
tokens = config["text_cfg"].get("context_length", 77)
vocab = config["text_cfg"].get("vocab_size", 49408)
index = torch.arange(batch * 3 * size * size)
images = ((index * 31) % 257).float().div(128).sub(1).reshape(batch, 3, size, size)
texts = ((torch.arange(batch * tokens) * 613) % (vocab - 2)).reshape(batch, tokens)
texts[:, -1] = vocab - 1


def autocast():
    return torch.autocast("cuda", dtype=low or torch.float16, enabled=low is not None)


forward = torch.compile(model) if wanted["mode"] == "compiled" else model

if wanted["kind"] == "training":
    model.train()
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=1e-5, betas=(0.9, 0.98), eps=1e-6, weight_decay=0.2
    )
    scaler = torch.amp.GradScaler("cuda", enabled=precision == "mixed-fp16")
    loss_of = ClipLoss()
    pinned = images.pin_memory(), texts.pin_memory()

    def work():
        # The batch goes up in each step, as it does from a data loader.
        on_device = [part.cuda(non_blocking=True) for part in pinned]
        optimizer.zero_grad(set_to_none=True)
        with autocast():
            image_features, text_features, scale = forward(*on_device)
            loss = loss_of(image_features, text_features, scale)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
        return loss.item()

else:
    model.eval()
    resident = images.cuda(), texts.cuda()

    @torch.no_grad()
    def work():
        with autocast():
            image_features, text_features, _ = forward(*resident)
        # The features are read, as on the other side.
        return (image_features.float().cpu()[0, 0] + text_features.float().cpu()[0, 0]).item()


def answer(value):
    print("answer " + json.dumps(value), flush=True)


device = torch.cuda.get_device_name()
name = f"open_clip {open_clip.__version__}, PyTorch {torch.__version__}, {wanted['mode']}, {device}"
answer({"name": name})
for line in sys.stdin:
    request = json.loads(line)
    torch.cuda.synchronize()
    start = time.perf_counter()
    value = work()
    torch.cuda.synchronize()
    answer({"ms": (time.perf_counter() - start) * 1000, "value": value})
