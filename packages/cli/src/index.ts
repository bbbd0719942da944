/** The command line, as functions. */
export { createProgram, main } from "./main.js";
