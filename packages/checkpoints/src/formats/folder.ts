/** Folders of one safetensors file and one JSON file: the shape that open_clip models and run states share. */
import { join } from "node:path";
import type { WritableCheckpointFormat } from "@diptych/core";
import { writeFolderAtomically, writeJsonAtomically } from "../atomic-write.js";
import { openSafetensors } from "../safetensors/read.js";
import { writeSafetensors, type WriteOptions } from "../safetensors/write.js";
import { isFile, readJson } from "./safetensors-file.js";

export interface FolderFormat {
  readonly name: string;
  readonly tensorsFile: string;
  readonly metadataFile: string;
  readonly asInt64?: WriteOptions["asInt64"];
}

/** The format of such a folder; the whole folder appears at once, or not. */
export function folderFormat({
  name,
  tensorsFile,
  metadataFile,
  asInt64,
}: FolderFormat): WritableCheckpointFormat {
  return Object.freeze({
    name,
    detect: async (path: string) =>
      (await isFile(join(path, tensorsFile))) && (await isFile(join(path, metadataFile))),
    open: async (path: string) => {
      const metadata = await readJson(join(path, metadataFile));
      return Object.freeze({ ...(await openSafetensors(join(path, tensorsFile))), path, metadata });
    },
    write: (path, { tensors, metadata }) =>
      writeFolderAtomically(path, async (folder) => {
        await writeSafetensors(join(folder, tensorsFile), tensors, {
          metadata: { format: "pt" },
          ...(asInt64 ? { asInt64 } : {}),
        });
        await writeJsonAtomically(join(folder, metadataFile), metadata);
      }),
  } satisfies WritableCheckpointFormat);
}
