/** Embeddings as Parquet: a column `path` or `text`, and `embedding`, a list of floats. */
import { fileWriter, ParquetWriter } from "hyparquet-writer";
import type { EmbeddingFormat, EmbeddingTable, InputKind } from "diptych";

/** Floats of a row group: what is held in memory at once, as lists of numbers. */
const GROUP_FLOATS = 2 ** 19;

const COLUMN: Readonly<Record<InputKind, string>> = { image: "path", text: "text" };

export const parquetFormat: EmbeddingFormat = Object.freeze({
  holdsInputs: true,
  write: async (path: string, table: EmbeddingTable) => {
    const column = COLUMN[table.kind];
    const groupRows = Math.max(1, Math.floor(GROUP_FLOATS / table.width));
    const writer = new ParquetWriter({
      writer: fileWriter(path),
      schema: [
        { name: "root", num_children: 2 },
        { name: column, type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "REQUIRED" },
        {
          name: "embedding",
          converted_type: "LIST",
          repetition_type: "REQUIRED",
          num_children: 1,
        },
        { name: "list", repetition_type: "REPEATED", num_children: 1 },
        { name: "element", type: "FLOAT", repetition_type: "REQUIRED" },
      ],
    });
    for await (const { inputs, embeddings } of groups(table, groupRows)) {
      await writer.write({
        columnData: [
          { name: column, data: inputs },
          // Floats of embeddings neither repeat nor compress.
          {
            name: "embedding",
            data: embeddings,
            encoding: "PLAIN",
            codec: "UNCOMPRESSED",
            statistics: false,
            offsetIndex: false,
          },
        ],
        rowGroupSize: groupRows,
      });
    }
    await writer.finish();
  },
});

interface Group {
  inputs: string[];
  embeddings: number[][];
}

async function* groups(
  table: EmbeddingTable,
  size: number,
): AsyncGenerator<Group, void, undefined> {
  let group: Group = { inputs: [], embeddings: [] };
  for await (const { inputs, rows } of table.chunks()) {
    for (const [i, input] of inputs.entries()) {
      group.inputs.push(input);
      group.embeddings.push(Array.from(rows.subarray(i * table.width, (i + 1) * table.width)));
      if (group.inputs.length < size) continue;
      yield group;
      group = { inputs: [], embeddings: [] };
    }
  }
  if (group.inputs.length > 0) yield group;
}
