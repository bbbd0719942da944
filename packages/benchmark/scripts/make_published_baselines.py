"""Makes data/published-baselines.json from the documents of open_clip.

    git clone https://github.com/mlfoundations/open_clip && git -C open_clip checkout 89fb801
    python make_published_baselines.py open_clip > ../data/published-baselines.json

Scores are copied as written there; PRETRAINED.md's few are in this file, with their line. The paper's samples seen:
32 epochs of 400 million pairs (arXiv:2103.00020, section 2.5).
"""
import csv
import json
import pathlib
import subprocess
import sys

DOCUMENTS = {
    "openclip_results": "docs/openclip_results.csv",
    "openclip_retrieval_results": "docs/openclip_retrieval_results.csv",
    "model_profile": "docs/model_profile.csv",
    "PRETRAINED": "docs/PRETRAINED.md",
}

OPENAI = {
    "RN50": (224, 1024),
    "RN101": (224, 512),
    "RN50x4": (288, 640),
    "RN50x16": (384, 768),
    "RN50x64": (448, 1024),
    "ViT-B-32": (224, 512),
    "ViT-B-16": (224, 512),
    "ViT-L-14": (224, 768),
    "ViT-L-14-336": (336, 768),
}

# model, tag, data, (size, width), {protocol: value}, section of PRETRAINED.md
SMALL = [
    ("RN50-quickgelu", "yfcc15m", "YFCC-15M", (224, 1024), {"imagenet/top1": 0.327, "imagenet-v2/top1": 0.279}, "YFCC-15M"),
    ("RN101-quickgelu", "yfcc15m", "YFCC-15M", (224, 512), {"imagenet/top1": 0.348, "imagenet-v2/top1": 0.3}, "YFCC-15M"),
    ("RN50-quickgelu", "cc12m", "CC12M", (224, 1024), {"imagenet/top1": 0.3645}, "CC12M"),
    ("ViT-B-32-quickgelu", "laion400m_e32", "LAION-400M", (224, 512), {"imagenet/top1": 0.6296}, "LAION-400M, ViT-B/32 224x224"),
    ("ViT-B-16", "laion400m_e32", "LAION-400M", (224, 512), {"imagenet/top1": 0.6707}, "LAION-400M, ViT-B/16 224x224"),
    ("ViT-L-14", "laion400m_e32", "LAION-400M", (224, 768), {"imagenet/top1": 0.7277}, "LAION-400M, ViT-L/14 224x224"),
]

CLASSIFICATION = {
    "imagenet/top1": ("ImageNet 1k", "validation", 50000, 1000, ["imagenet", "imagenet1k", "imagenetval", "imagenet1kval", "ilsvrc2012", "ilsvrc2012val"]),
    "imagenet-v2/top1": ("ImageNet v2", "matched-frequency", 10000, 1000, ["imagenetv2", "imagenetv2matchedfrequency"]),
    "imagenet-r/top1": ("ImageNet-R", "test", 30000, 200, ["imagenetr", "imagenetrendition"]),
}

RETRIEVAL = {
    "flickr30k": ("Flickr30k", "Karpathy test", 1000, 5000, ["flickr", "flickr30k", "flickr1k", "flickr30ktest"]),
    "coco": ("MSCOCO 2014", "Karpathy test", 5000, None, ["coco", "mscoco", "mscococaptions", "coco2014", "mscoco2014", "coco5k"]),
}


def protocols(suite):
    """How each score was measured; `suite`: by DataComp's evaluation, or as PRETRAINED.md says (nothing)."""
    common = {
        "precision": "fp32 for pictures, autocast for prompts" if suite else None,
        "preprocessing": {"resizeMode": "shortest", "interpolation": "bicubic"},
    }
    found = {}
    for key, (dataset, split, queries, candidates, names) in CLASSIFICATION.items():
        found[key] = {
            "task": "classification",
            "dataset": dataset,
            "names": names,
            "split": split,
            "queries": queries,
            "candidates": candidates,
            "metric": "top1",
            "templates": "imagenet-80" if suite else None,
            "ties": "one class's, which one PyTorch does not promise" if suite else None,
            **common,
        }
    if not suite:
        return {f"{key}, as PRETRAINED.md": {**value, "key": key} for key, value in found.items()}
    for key, (dataset, split, pictures, captions, names) in RETRIEVAL.items():
        for published, ours, queries, candidates in (
            ("imageRecall", "textToImage/recall@1", captions, pictures),
            ("textRecall", "imageToText/recall@1", pictures, captions),
        ):
            found[f"{key}/{published}@1"] = {
                "task": "retrieval",
                "dataset": dataset,
                "names": names,
                "split": split,
                "queries": queries,
                "candidates": candidates,
                "metric": ours,
                "templates": None,
                "ties": "torch.topk's order, which PyTorch does not promise",
                **common,
            }
    found["datacomp-38/average"] = {
        "task": "average",
        "dataset": "DataComp's 38 tasks",
        "names": [],
        "split": None,
        "queries": None,
        "candidates": None,
        "metric": "average",
        "templates": None,
        "ties": None,
        **common,
    }
    return {key: {**value, "key": key} for key, value in found.items()}


def table(folder, document, key):
    with open(folder / DOCUMENTS[document], newline="", encoding="utf8") as file:
        return {key(row): row for row in csv.DictReader(file)}


def score(protocol, value, source, where):
    return {"protocol": protocol, "value": float(value), "source": source, "where": where}


def costs(profile, model):
    row = profile[model]
    pair = lambda parameters, flops: {"megaParameters": float(row[parameters]), "gigaFlops": float(row[flops])}
    return {
        "total": pair("mparams", "gflops"),
        "image": pair("image_mparams", "image_gflops"),
        "text": pair("text_mparams", "text_gflops"),
    }


def main(folder):
    commit = subprocess.run(
        ["git", "-C", folder, "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    ).stdout.strip()
    results = table(folder, "openclip_results", lambda row: (row["name"], row["pretrained"]))
    retrieval = table(folder, "openclip_retrieval_results", lambda row: (row["name"], row["pretrained"]))
    profile = table(folder, "model_profile", lambda row: row["model"])
    columns = {
        "imagenet/top1": "ImageNet 1k",
        "imagenet-v2/top1": "ImageNet v2",
        "imagenet-r/top1": "ImageNet-R",
        "datacomp-38/average": "Average perf. on 38 datasets",
    }
    retrieved = {
        "flickr30k/imageRecall@1": "Flickr image retr. R@1",
        "flickr30k/textRecall@1": "Flickr text retr. R@1",
        "coco/imageRecall@1": "MSCOCO image retr. R@1",
        "coco/textRecall@1": "MSCOCO text retr. R@1",
    }
    baselines = []
    for model, (size, width) in OPENAI.items():
        row, pairs = results[model, "openai"], retrieval[model, "openai"]
        baselines.append(
            {
                "model": model,
                "pretrained": "openai",
                "trainedOn": "WebImageText, 400 million pairs (OpenAI's, not published)",
                "samplesSeen": 32 * 400_000_000 + (400_000_000 if model.endswith("336") else 0),
                "imageSize": size,
                "embedDim": width,
                "cost": costs(profile, model),
                "scores": [
                    *(score(key, row[column], "openclip_results", column) for key, column in columns.items()),
                    *(score(key, pairs[column], "openclip_retrieval_results", column) for key, column in retrieved.items()),
                ],
            }
        )
    for model, tag, data, (size, width), scores, section in SMALL:
        baselines.append(
            {
                "model": model,
                "pretrained": tag,
                "trainedOn": data,
                "samplesSeen": None,
                "imageSize": size,
                "embedDim": width,
                "cost": costs(profile, model),
                "scores": [
                    score(f"{key}, as PRETRAINED.md", value, "PRETRAINED", section)
                    for key, value in scores.items()
                ],
            }
        )
    sources = {
        name: {
            "document": f"open_clip {path}",
            "url": f"https://github.com/mlfoundations/open_clip/blob/{commit}/{path}",
            "version": commit[:7],
        }
        for name, path in DOCUMENTS.items()
    }
    content = {
        "made": "scripts/make_published_baselines.py",
        "sources": sources,
        "protocols": {**protocols(True), **protocols(False)},
        "baselines": baselines,
    }
    print(json.dumps(content, indent=1))


main(pathlib.Path(sys.argv[1]))
