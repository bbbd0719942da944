/** The backend on TensorFlow.js. */
export { tfjs, tfjsSchema, type TfjsConfig } from "./config.js";
export { ENGINE_NAMES, type EngineName } from "./engines/engine.js";
export {
  describeLowering,
  describeNodeLowering,
  type LoweringDescription,
} from "./lowering/describe-lowering.js";
export { tfjsPlugin } from "./plugin.js";
export { createTfjsBackend, type TfjsBackend, type TfjsBackendOptions } from "./tfjs-backend.js";
