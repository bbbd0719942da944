# open_clip's side of the classifier, on the CPU in float32, built as its own evaluation does. Arguments: the model's
# folder, the file of names and templates. Requests: { classes: positions }.
import json
import sys
import time

import open_clip
import torch

folder, prompts_file = sys.argv[1:3]
with open(prompts_file) as file:
    prompts = json.load(file)
torch.set_grad_enabled(False)
model, _, _ = open_clip.create_model_and_transforms(f"local-dir:{folder}", device="cpu", precision="fp32")
model.eval()
tokenizer = open_clip.get_tokenizer("ViT-B-32")
# Bound now: the loop's variable changes.
templates = [lambda name, template=template: template.format(name) for template in prompts["templates80"]]


def answer(value):
    print("answer " + json.dumps(value), flush=True)


answer({"name": f"open_clip {open_clip.__version__}, PyTorch {torch.__version__}, {torch.get_num_threads()} threads"})
for line in sys.stdin:
    names = [prompts["classNames"][i] for i in json.loads(line)["classes"]]
    start = time.perf_counter()
    weights = open_clip.build_zero_shot_classifier(
        model, tokenizer, names, templates, num_classes_per_batch=10, device="cpu"
    )
    milliseconds = (time.perf_counter() - start) * 1000
    answer({"ms": milliseconds, "first": weights[:8, 0].tolist()})
