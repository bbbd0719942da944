"""Makes fixtures/distillation.json: open_clip's DistillClipLoss and its gradients, and CLIP-KD's feature distillation.

    pip install open_clip_torch torch
    python make_distillation.py > ../fixtures/distillation.json

All in float64. The second term is written with PyTorch's own Linear, normalize and mse_loss, as CLIP-KD's loss.py has it,
from normalised features; its mean over the width is taken back, so that it is the squared distance.
"""
import json

import open_clip
import torch
import torch.nn.functional as F
from open_clip.loss import DistillClipLoss

SEED = 0


def unit(rows, width, generator):
    return F.normalize(torch.randn(rows, width, generator=generator, dtype=torch.float64), dim=1)


def nested(tensor):
    return tensor.detach().tolist()


def similarities(batch, width, teacher_width, scale, teacher_scale, generator):
    image, text = (unit(batch, width, generator).requires_grad_() for _ in range(2))
    teacher_image, teacher_text = (unit(batch, teacher_width, generator) for _ in range(2))
    log_scale = torch.tensor(scale, dtype=torch.float64).log().requires_grad_()
    result = DistillClipLoss()(
        image, text, log_scale.exp(), teacher_image, teacher_text,
        torch.tensor(teacher_scale, dtype=torch.float64), output_dict=True,
    )
    result["distill_loss"].backward()
    return {
        "image": nested(image), "text": nested(text), "logitScale": log_scale.item(),
        "teacherImage": nested(teacher_image), "teacherText": nested(teacher_text),
        "teacherScale": teacher_scale,
        "distillLoss": result["distill_loss"].item(),
        "contrastiveLoss": result["contrastive_loss"].item(),
        "gradients": {
            "image": nested(image.grad), "text": nested(text.grad), "logitScale": log_scale.grad.item(),
        },
    }


def features(batch, width, teacher_width, generator):
    found = {"loss": 0.0}
    for modality in ("image", "text"):
        student = unit(batch, width, generator).requires_grad_()
        teacher = unit(batch, teacher_width, generator)
        linear = torch.nn.Linear(width, teacher_width, dtype=torch.float64)
        with torch.no_grad():
            for values in linear.parameters():
                values.copy_(torch.randn(values.shape, generator=generator, dtype=torch.float64))
        loss = F.mse_loss(F.normalize(linear(student), dim=1), teacher) * teacher_width
        loss.backward()
        found["loss"] += loss.item()
        found[modality] = {
            "student": nested(student), "teacher": nested(teacher),
            "weight": nested(linear.weight), "bias": nested(linear.bias),
            "gradients": {
                "student": nested(student.grad), "weight": nested(linear.weight.grad), "bias": nested(linear.bias.grad),
            },
        }
    return found


def main():
    generator = torch.Generator().manual_seed(SEED)
    print(json.dumps({
        "tool": f"open_clip {open_clip.__version__}, PyTorch {torch.__version__}",
        "seed": SEED,
        "tolerance": 1e-12,
        "similarities": [
            similarities(4, 3, 3, 10.0, 14.3, generator),
            similarities(5, 3, 4, 14.2857, 100.0, generator),
            similarities(1, 2, 2, 5.0, 5.0, generator),
        ],
        "features": features(3, 3, 4, generator),
    }))


main()
