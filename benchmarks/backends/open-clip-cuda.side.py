# PyTorch's side on an NVIDIA GPU: open_clip's training step, or both towers' inference, eager or compiled. Argument: what
# to open as JSON (config, kind, batch, precision: fp32, TF32, mixed-fp16, mixed-bf16; mode: eager, compiled).
import json
import sys

import open_clip
import torch
from open_clip.loss import ClipLoss
from open_clip_side import adamw, batch_of, serve

wanted = json.loads(sys.argv[1])
config, batch, precision = wanted["config"], wanted["batch"], wanted["precision"]
if not torch.cuda.is_available():
    sys.exit("bench: PyTorch: expected a CUDA device, got none.")
torch.manual_seed(0)
torch.backends.cuda.matmul.allow_tf32 = precision != "fp32"
torch.backends.cudnn.allow_tf32 = precision != "fp32"
low = {"mixed-fp16": torch.float16, "mixed-bf16": torch.bfloat16}.get(precision)

model = open_clip.CLIP(**config).cuda()
images, texts = batch_of(config, batch)


def autocast():
    return torch.autocast("cuda", dtype=low or torch.float16, enabled=low is not None)


forward = torch.compile(model) if wanted["mode"] == "compiled" else model

if wanted["kind"] == "training":
    model.train()
    optimizer = adamw(model)
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


device = torch.cuda.get_device_name()
serve(
    f"open_clip {open_clip.__version__}, PyTorch {torch.__version__}, {wanted['mode']}, {device}",
    work,
    torch.cuda.synchronize,
)
