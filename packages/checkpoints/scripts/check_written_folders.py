"""Loads folders that Diptych wrote in open_clip and transformers and compares their features.

    pip install open_clip_torch transformers torch
    python check_written_folders.py --open-clip FOLDER --hugging-face FOLDER [--golden golden.safetensors]

Features of the two must agree within 1e-4 of the largest entry; with --golden also with the features that open_clip
computed for the original weights (tensors image, text, image_features, text_features). Ends with status 1 otherwise.
"""
import argparse
import json
import pathlib
import sys

import open_clip
import torch
from safetensors.torch import load_file
from transformers import CLIPImageProcessor, CLIPModel

TOLERANCE = 1e-4


def inputs(config, seed=0):
    """Random pictures, and texts that end with the largest id of the vocabulary."""
    generator = torch.Generator().manual_seed(seed)
    size = config["vision_cfg"]["image_size"]
    text = config["text_cfg"]
    image = torch.randn(4, 3, size, size, generator=generator)
    ids = torch.randint(1, text["vocab_size"] - 2, (4, text["context_length"]), generator=generator)
    for row, length in enumerate(range(3, 7)):
        ids[row, length] = text["vocab_size"] - 1
        ids[row, length + 1 :] = 0
    return image, ids


def open_clip_features(folder, image, text):
    model = open_clip.create_model(f"local-dir:{folder}", device="cpu").eval()
    return model.encode_image(image), model.encode_text(text)


def transformers_features(folder, image, text):
    CLIPImageProcessor.from_pretrained(folder)
    model, report = CLIPModel.from_pretrained(folder, output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"], report
    model.eval()
    features = model.get_image_features(pixel_values=image), model.get_text_features(input_ids=text)
    return [getattr(each, "pooler_output", each) for each in features]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--open-clip", required=True, type=pathlib.Path)
    parser.add_argument("--hugging-face", type=pathlib.Path)
    parser.add_argument("--golden", type=pathlib.Path)
    options = parser.parse_args()
    config = json.loads((options.open_clip / "open_clip_config.json").read_text())["model_cfg"]
    golden = load_file(options.golden) if options.golden else None
    image, text = (golden["image"], golden["text"]) if golden else inputs(config)
    with torch.no_grad():
        found = {"open_clip": open_clip_features(options.open_clip, image, text)}
        if options.hugging_face:
            found["transformers"] = transformers_features(options.hugging_face, image, text)
    if golden:
        reference = golden["image_features"], golden["text_features"]
    else:
        reference = found["open_clip"]
    failed = False
    for name, features in found.items():
        for kind, got, wanted in zip(("image", "text"), features, reference):
            distance = float((got - wanted).abs().max() / wanted.abs().max())
            failed |= not distance <= TOLERANCE
            print(f"{name:12} {kind:5} features: {distance:.2e} of the largest entry")
    sys.exit(failed)


if __name__ == "__main__":
    main()
