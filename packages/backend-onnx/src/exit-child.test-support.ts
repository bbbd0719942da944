// A process of its own: one run on WebGPU, and then its end, with the backend disposed of or left as it is.
import { createGraph, hostTensorFrom, input, neg } from "@diptych/core";
import { createOnnxBackend } from "./onnx-backend.js";

const backend = await createOnnxBackend({ provider: "webgpu" });
const executable = await backend.compile(createGraph("g", { y: neg(input("x", [2])) }));
const { y } = await executable.run({ x: hostTensorFrom("float32", [2], [1, 2]) });
process.stdout.write(`${(await y?.read())?.data.join() ?? ""}\n`);
if (process.argv[2] === "dispose") await backend.dispose();
if (process.argv[2] === "exit") process.exit(0);
