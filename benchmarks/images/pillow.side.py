# Python's side: Pillow and torchvision's transform of CLIP on one thread. Requests come line by line, as in side.mjs.
import json
import sys
import time

import PIL
import torch
import torchvision
from PIL import Image
from torchvision import transforms

torch.set_num_threads(1)
transform = transforms.Compose(
    [
        transforms.Resize(224, interpolation=transforms.InterpolationMode.BICUBIC),
        transforms.CenterCrop(224),
        lambda image: image.convert("RGB"),
        transforms.ToTensor(),
        transforms.Normalize(
            (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
        ),
    ]
)


def answer(value):
    print("answer " + json.dumps(value), flush=True)


answer({"name": f"Pillow {PIL.__version__}, torchvision {torchvision.__version__}, 1 thread"})
for line in sys.stdin:
    request = json.loads(line)
    start, cpu = time.perf_counter(), time.process_time()
    for file in request["files"]:
        tensor = transform(Image.open(file))
    answer(
        {
            "ms": (time.perf_counter() - start) * 1000,
            "cpuMs": (time.process_time() - cpu) * 1000,
            "first": tensor.flatten()[:8].tolist(),
        }
    )
