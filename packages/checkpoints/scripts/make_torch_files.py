"""Makes fixtures/torch: one state dict as PyTorch saves it in several ways, and its values as safetensors.

Run in packages/checkpoints/fixtures/torch with torch and safetensors installed.
"""
import collections
import json

import torch
from safetensors.torch import save_file

torch.manual_seed(1)
base = torch.randn(6, 8)
state = collections.OrderedDict(
    f32=torch.randn(3, 5),
    transposed=base.t(),
    view=base[2:4, 1:3],
    channels_last=torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last),
    f16=torch.tensor([1.5, -2.0, 6.0e-8, 65504.0, -0.0]).half(),
    bf16=torch.randn(7).bfloat16(),
    f64=torch.randn(4).double(),
    i64=torch.arange(5) - 2,
    i16=torch.tensor([-3, 300], dtype=torch.int16),
    i8=torch.tensor([-3, 3], dtype=torch.int8),
    u8=torch.tensor([0, 255], dtype=torch.uint8),
    flags=torch.tensor([True, False]),
    scalar=torch.tensor(2.5),
    empty=torch.zeros(0, 4),
    expanded=torch.arange(5).expand((1, -1)),
    parameter=torch.nn.Parameter(torch.randn(2, 2)),
)
state["tied"] = state["f32"]
state._metadata = collections.OrderedDict([("", {"version": 1})])


def read(tensor):
    """As Diptych reads it: float32, int32 or bool."""
    tensor = tensor.detach().contiguous()
    if tensor.is_floating_point():
        return tensor.float().clone()
    return tensor.clone() if tensor.dtype == torch.bool else tensor.int().clone()


save_file({name: read(tensor) for name, tensor in state.items()}, "expected.safetensors")
torch.save(state, "zip.pt")
torch.save(state, "protocol-4.pt", pickle_protocol=4)
torch.save(state, "legacy.pt", _use_new_zipfile_serialization=False)

layer = torch.nn.Linear(4, 4)
optimizer = torch.optim.AdamW(layer.parameters())
layer(torch.randn(2, 4)).sum().backward()
optimizer.step()
torch.save(
    {
        "epoch": 3,
        "name": "a run",
        "state_dict": {f"module._orig_mod.{name}": tensor for name, tensor in state.items()},
        "optimizer": optimizer.state_dict(),
        "scheduler": torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 3]).state_dict(),
        "scaler": {"scale": 65536.0, "_growth_tracker": 2},
        "nothing": None,
        "dtype": torch.float16,
        "device": torch.device("cpu"),
        "size": torch.Size([1, 2]),
    },
    "training.pt",
)
with open("PROVENANCE.json", "w") as file:
    json.dump({"script": "scripts/make_torch_files.py", "torch": torch.__version__, "seed": 1,
               "licence": "random values, made for this project"}, file, indent=1)
    file.write("\n")
