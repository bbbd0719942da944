/** The backend on TensorFlow.js. */
export {};
