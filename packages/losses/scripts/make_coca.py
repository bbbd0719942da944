"""Makes fixtures/coca.json: open_clip's CoCaLoss on logits of its MultimodalTransformer, with gradients.

    pip install open_clip_torch torch
    python make_coca.py > ../fixtures/coca.json

All in float64, weights and inputs drawn from a normal distribution, so that no part is idle. As in open_clip's CoCa, the
decoder reads the text tower's tokens without the last one, and the labels are the ids without the first.
"""
import json
from functools import partial

import open_clip
import torch
import torch.nn.functional as F
from open_clip.loss import CoCaLoss
from open_clip.transformer import LayerNorm, MultimodalTransformer

SEED = 0
WIDTH, LAYERS, HEADS, VOCAB, MLP_RATIO = 4, 2, 2, 7, 1.5
IDS = [[5, 2, 6, 0, 0], [5, 1, 4, 3, 6], [5, 6, 0, 0, 0]]
WEIGHTS = {"contrastive": 1.0, "captioning": 2.0}


def nested(tensor):
    return [round(x, 12) for x in tensor.detach().flatten().tolist()]


def main():
    torch.manual_seed(SEED)
    torch.set_default_dtype(torch.float64)
    decoder = MultimodalTransformer(
        WIDTH, LAYERS, HEADS, context_length=len(IDS[0]), mlp_ratio=MLP_RATIO, output_dim=VOCAB,
        norm_layer=partial(LayerNorm, eps=1e-5),
    )
    with torch.no_grad():
        for values in decoder.parameters():
            values.copy_((0.6 * torch.randn(values.shape)).round(decimals=3))
    ids = torch.tensor(IDS)
    image_tokens = torch.randn(3, 4, WIDTH).round(decimals=3).requires_grad_()
    text_tokens = torch.randn(3, ids.shape[1], WIDTH).round(decimals=3).requires_grad_()
    image, text = (F.normalize(torch.randn(3, 5), dim=1).requires_grad_() for _ in range(2))
    log_scale = torch.tensor(10.0).log().requires_grad_()
    logits = decoder(image_tokens, text_tokens[:, :-1])
    loss = CoCaLoss(
        caption_loss_weight=WEIGHTS["captioning"], clip_loss_weight=WEIGHTS["contrastive"], pad_id=0
    )
    parts = loss(image, text, logits, ids[:, 1:], log_scale.exp(), output_dict=True)
    sum(parts.values()).backward()
    given = {"imageTokens": image_tokens, "textTokens": text_tokens, "image": image, "text": text}
    print(json.dumps({
        "tool": {"open_clip": open_clip.__version__, "torch": torch.__version__, "seed": SEED},
        "sizes": {"width": WIDTH, "layers": LAYERS, "heads": HEADS, "vocab": VOCAB, "mlpDim": int(WIDTH * MLP_RATIO)},
        "weights": WEIGHTS,
        "ids": IDS,
        "inputs": {name: {"shape": list(value.shape), "values": nested(value)} for name, value in given.items()},
        "logitScale": log_scale.item(),
        "parameters": {
            name: {"shape": list(value.shape), "values": nested(value), "gradient": nested(value.grad)}
            for name, value in decoder.named_parameters()
        },
        "losses": {name: value.item() for name, value in parts.items()},
        "gradients": {**{name: nested(value.grad) for name, value in given.items()}, "logitScale": log_scale.grad.item()},
    }))


main()
