/** OpenAI's nine archives: where they are, and the SHA-256 that their addresses carry (openai/CLIP d05afc4, clip/clip.py). */

export interface OpenAiModel {
  /** Name in the paper and in openai/CLIP. */
  readonly name: string;
  /** Name in open_clip. */
  readonly openClipName: string;
  readonly file: string;
  readonly sha256: string;
}

/** Folder of all of them; `DIPTYCH_OPENAI_ENDPOINT` names a mirror laid out alike. */
export const OPENAI_ENDPOINT = "https://openaipublic.azureedge.net/clip/models";

function model(name: string, openClipName: string, file: string, sha256: string): OpenAiModel {
  return Object.freeze({ name, openClipName, file, sha256 });
}

export const OPENAI_MODELS: readonly OpenAiModel[] = Object.freeze([
  model(
    "RN50",
    "RN50",
    "RN50.pt",
    "afeb0e10f9e5a86da6080e35cf09123aca3b358a0c3e3b6c78a7b63bc04b6762",
  ),
  model(
    "RN101",
    "RN101",
    "RN101.pt",
    "8fa8567bab74a42d41c5915025a8e4538c3bdbe8804a470a72f30b0d94fab599",
  ),
  model(
    "RN50x4",
    "RN50x4",
    "RN50x4.pt",
    "7e526bd135e493cef0776de27d5f42653e6b4c8bf9e0f653bb11773263205fdd",
  ),
  model(
    "RN50x16",
    "RN50x16",
    "RN50x16.pt",
    "52378b407f34354e150460fe41077663dd5b39c54cd0bfd2b27167a4a06ec9aa",
  ),
  model(
    "RN50x64",
    "RN50x64",
    "RN50x64.pt",
    "be1cfb55d75a9666199fb2206c106743da0f6468c9d327f3e0d0a543a9919d9c",
  ),
  model(
    "ViT-B/32",
    "ViT-B-32",
    "ViT-B-32.pt",
    "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af",
  ),
  model(
    "ViT-B/16",
    "ViT-B-16",
    "ViT-B-16.pt",
    "5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f",
  ),
  model(
    "ViT-L/14",
    "ViT-L-14",
    "ViT-L-14.pt",
    "b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836",
  ),
  model(
    "ViT-L/14@336px",
    "ViT-L-14-336",
    "ViT-L-14-336px.pt",
    "3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02",
  ),
]);

/** One of the nine, by the paper's name or open_clip's, in any case; undefined for other names. */
export function findOpenAiModel(name: string): OpenAiModel | undefined {
  const wanted = normalise(name);
  return OPENAI_MODELS.find((entry) => normalise(entry.name) === wanted);
}

/** `ViT-L/14@336px`, `ViT-L-14-336` and `vit-l/14@336` are one name. */
function normalise(name: string): string {
  return name
    .toLowerCase()
    .replace(/[/@]/g, "-")
    .replace(/336px$/, "336");
}
