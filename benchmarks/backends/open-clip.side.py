# PyTorch's side: training steps of open_clip's model on the CPU, in float32 or under bfloat16 autocast. Arguments: model
# configuration as JSON, batch, precision (fp32 or mixed-bf16).
import json
import sys

import open_clip
import torch
from open_clip.loss import ClipLoss
from open_clip_side import adamw, batch_of, serve

config, batch, precision = json.loads(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
torch.manual_seed(0)
model = open_clip.CLIP(**config)
model.train()
optimizer = adamw(model)
images, texts = batch_of(config, batch)
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


serve(
    f"open_clip {open_clip.__version__}, PyTorch {torch.__version__}, {torch.get_num_threads()} threads",
    step,
)
