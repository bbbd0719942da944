"""Makes fixtures/contrastive.json: losses and their gradients by open_clip and PyTorch, in float64.

    pip install open_clip_torch torch
    python make_goldens.py > ../fixtures/contrastive.json

- clip: open_clip's ClipLoss, with and without a bias.
- smoothed: PyTorch's cross_entropy with label_smoothing, both ways, over ClipLoss's own logits.
- siglip: open_clip's SigLipLoss.
- shared: PyTorch's cross_entropy against probabilities, uniform over several positives a row.
"""
import json

import open_clip
import torch
import torch.nn.functional as F
from open_clip.loss import ClipLoss, SigLipLoss

SEED = 0
BATCH = 5
WIDTH = 4


def features(generator):
    drawn = torch.randn(BATCH, WIDTH, generator=generator, dtype=torch.float64)
    return F.normalize(drawn, dim=1).requires_grad_()


def both_ways(logits, targets, **options):
    turned = targets.mT if targets.ndim == 2 else targets
    ways = ((logits, targets), (logits.mT, turned))
    return sum(F.cross_entropy(*way, **options) for way in ways) / 2


def clip(image, text, scale, _bias):
    return ClipLoss()(image, text, scale.exp())


def clip_with_bias(image, text, scale, bias):
    return ClipLoss()(image, text, scale.exp(), logit_bias=bias)


def smoothed(image, text, scale, _bias):
    logits, _ = ClipLoss().get_logits(image, text, scale.exp())
    return both_ways(logits, torch.arange(BATCH), label_smoothing=0.125)


def siglip(image, text, scale, bias):
    return SigLipLoss()(image, text, scale.exp(), bias)


SAMPLES = torch.tensor([0, 1, 0, 3, 1])


def shared(image, text, scale, _bias):
    logits, _ = ClipLoss().get_logits(image, text, scale.exp())
    same = (SAMPLES[:, None] == SAMPLES[None, :]).to(torch.float64)
    return both_ways(logits, same / same.sum(1, keepdim=True))


def case(loss, log_scale, bias):
    generator = torch.Generator().manual_seed(SEED)
    image, text = features(generator), features(generator)
    scale = torch.tensor(log_scale, dtype=torch.float64).requires_grad_()
    shift = torch.tensor(bias, dtype=torch.float64).requires_grad_()
    value = loss(image, text, scale, shift)
    value.backward()
    return {
        "logitScale": scale.item(),
        "logitBias": shift.item(),
        "loss": value.item(),
        "gradients": {
            "image": image.grad.tolist(),
            "text": text.grad.tolist(),
            "logitScale": scale.grad.item(),
            "logitBias": 0.0 if shift.grad is None else shift.grad.item(),
        },
    }


def main():
    generator = torch.Generator().manual_seed(SEED)
    image, text = features(generator), features(generator)
    log_scale = torch.tensor(1 / 0.07, dtype=torch.float64).log().item()
    print(json.dumps({
        "provenance": {
            "script": "scripts/make_goldens.py",
            "open_clip": open_clip.__version__,
            "torch": torch.__version__.split("+")[0],
            "seed": SEED,
            "dtype": "float64",
        },
        "image": image.tolist(),
        "text": text.tolist(),
        "samples": SAMPLES.tolist(),
        "cases": {
            "clip": case(clip, log_scale, 0.0),
            "clipWithBias": case(clip_with_bias, log_scale, -10.0),
            "smoothed": case(smoothed, log_scale, 0.0),
            "siglip": case(siglip, torch.tensor(10.0, dtype=torch.float64).log().item(), -10.0),
            "shared": case(shared, log_scale, 0.0),
        },
    }, indent=1))


main()
