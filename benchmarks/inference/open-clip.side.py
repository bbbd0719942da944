# PyTorch's side: open_clip on the CPU in float32. Arguments: folder. Requests come line by line, as in side.mjs.
import json
import sys
import time

import open_clip
import torch
from PIL import Image

folder, inputs_file = sys.argv[1:3]
with open(inputs_file) as file:
    inputs = json.load(file)
torch.set_grad_enabled(False)
model, _, preprocess = open_clip.create_model_and_transforms(
    f"local-dir:{folder}", device="cpu", precision="fp32"
)
model.eval()
tokenizer = open_clip.get_tokenizer("ViT-B-32")
index = torch.arange(32 * 3 * 224 * 224)
pixels = ((index * 31) % 257).float().div(128).sub(1).reshape(32, 3, 224, 224)


def embed(request):
    last = None
    for at in range(0, request["count"], request["batch"]):
        part = slice(at, at + request["batch"])
        if request["kind"] == "images":
            last = model.encode_image(pixels[part], normalize=True)
        elif request["kind"] == "texts":
            last = model.encode_text(tokenizer(inputs["texts"][part]), normalize=True)
        else:
            pictures = [preprocess(Image.open(file)) for file in inputs["files"][part]]
            last = model.encode_image(torch.stack(pictures), normalize=True)
    return last


def answer(value):
    print("answer " + json.dumps(value), flush=True)


answer({"name": f"open_clip {open_clip.__version__}, PyTorch {torch.__version__}, {torch.get_num_threads()} threads"})
for line in sys.stdin:
    request = json.loads(line)
    start = time.perf_counter()
    features = embed(request)
    milliseconds = (time.perf_counter() - start) * 1000
    answer({"ms": milliseconds, "first": features[0, :8].tolist() if request.get("first") else None})
