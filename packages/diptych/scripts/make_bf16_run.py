# Twenty steps of a golden model under PyTorch's bfloat16 autocast on the CPU, for precision.conformance.test.ts.
# Needs torch, open_clip and safetensors; run once:
#   python make_bf16_run.py ../fixtures/models/vit-gelu ../fixtures/precision/vit-gelu-bf16.json
import json
import math
import sys

import open_clip
import torch
from open_clip.loss import ClipLoss
from safetensors.torch import load_file

folder, output = sys.argv[1:3]
torch.set_num_threads(1)
config = json.load(open(f"{folder}/open_clip_config.json"))["model_cfg"]
run = json.load(open(f"{folder}/training.json"))
batches = load_file(f"{folder}/training.safetensors")


def history(autocast):
    model = open_clip.CLIP(**config)
    model.load_state_dict(load_file(f"{folder}/open_clip_model.safetensors"), strict=False)
    model.train()
    groups = [{"params": [], "weight_decay": decay} for decay in (run["weight_decay"], 0.0)]
    for name, parameter in model.named_parameters():
        groups[name in run["no_decay"]]["params"].append(parameter)
    optimizer = torch.optim.AdamW(groups, lr=0.0, betas=tuple(run["betas"]), eps=run["eps"])
    records = []
    for step, expected in enumerate(run["history"]):
        for group in optimizer.param_groups:
            group["lr"] = expected["lr"]
        rows = slice((step % 4) * 6, (step % 4) * 6 + 6)
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
            image, text, scale = model(batches["images"][rows], batches["texts"][rows])
            loss = ClipLoss()(image, text, scale)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), run["clip_norm"])
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, math.log(100))
        records.append({"step": step, "loss": loss.item(), "grad_norm": norm.item()})
    return records


fp32 = history(False)
far = max(abs(a["loss"] - b["loss"]) for a, b in zip(fp32, run["history"]))
assert far < 1e-3, f"the float32 run is not the golden one: {far}"
json.dump(
    {
        "generator": "packages/diptych/scripts/make_bf16_run.py",
        "torch": torch.__version__,
        "open_clip": open_clip.__version__,
        "device": "CPU, autocast to bfloat16, one thread",
        "history": history(True),
    },
    open(output, "w"),
    indent=1,
)
