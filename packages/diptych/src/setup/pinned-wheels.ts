/** The wheels that set-ups take libraries from: exact files by SHA-256, as the Python package index lists them. Linux on x86-64. */

/** One file of the Python package index. */
export interface PinnedWheel {
  /** Name of the distribution, as in a requirements file. */
  readonly name: string;
  readonly version: string;
  readonly file: string;
  readonly bytes: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

const manylinux2014 = "manylinux_2_17_x86_64.manylinux2014_x86_64";

function pin(name: string, version: string, rest: [string, number, string]): PinnedWheel {
  const [tags, bytes, sha256] = rest;
  const file = `${name.replaceAll("-", "_")}-${version}-${tags}.whl`;
  return Object.freeze({ name, version, file, bytes, sha256 });
}

function pinNvidia(name: string, version: string, rest: [number, string]): PinnedWheel {
  return pin(`nvidia-${name}-cu12`, version, ["py3-none-manylinux2014_x86_64", ...rest]);
}

/** libtensorflow for the CPU: newer ones work too; 2.18 writes the fewest lines of its own. */
export const TENSORFLOW_CPU: PinnedWheel = pin("tensorflow-cpu", "2.18.1", [
  `cp311-cp311-${manylinux2014}`,
  230236181,
  "810c75d7149d2da0cb2092187817b0dcabb80728ca9f9cf3a61f3f42fadd1298",
]);

/** libtensorflow with its CUDA kernels. */
export const TENSORFLOW_GPU: PinnedWheel = pin("tensorflow", "2.18.1", [
  `cp311-cp311-${manylinux2014}`,
  615510377,
  "c9f87e5d2a680a4595f5dc30daf6bbaec9d4129b46d7ef1b2af63c46ac7d2828",
]);

/** What `tensorflow[and-cuda]==2.18.1` asks for: CUDA 12.5, cuDNN 9.3. */
export const TENSORFLOW_CUDA: readonly PinnedWheel[] = Object.freeze([
  pinNvidia("cublas", "12.5.3.2", [
    363313169,
    "ca070ad70e9fa6654084575d01bd001f30cc4665e33d4bb9fc8e0f321caa034b",
  ]),
  pinNvidia("cuda-cupti", "12.5.82", [
    13811507,
    "bde77a5feb66752ec61db2adfe47f56b941842825b4c7e2068aff27c9d107953",
  ]),
  pinNvidia("cuda-nvcc", "12.5.82", [
    22468537,
    "b03e545b8e8c3ce7ebcd7fc44063180ff52ff01d064ece2127ed90a04ef12cd0",
  ]),
  pinNvidia("cuda-nvrtc", "12.5.82", [
    24873108,
    "3dbd97b0104b4bfbc3c4f8c79cd2496307c89c43c29a9f83125f1d76296ff3fd",
  ]),
  pinNvidia("cuda-runtime", "12.5.82", [
    895707,
    "3e79a060e126df40fd3a068f3f787eb000fa51b251ec6cd97d09579632687115",
  ]),
  pinNvidia("cudnn", "9.3.0.75", [
    577163502,
    "9ad9c6929ebb5295eb4a1728024666d1c88283373e265a0c5c883e6f9d5cd76d",
  ]),
  pinNvidia("cufft", "11.2.3.61", [
    192524114,
    "9a6e8df162585750f61983a638104a48c756aa13f9f48e19ab079b38e3c828b8",
  ]),
  pinNvidia("curand", "10.3.6.82", [
    56309107,
    "2823fb27de4e44dbb22394a6adf53aa6e1b013aca0f8c22867d1cfae58405536",
  ]),
  pinNvidia("cusolver", "11.6.3.83", [
    130341232,
    "93cfafacde4428b71778eeb092ec615a02a3d05404da1bcf91c53e3fa1bce42b",
  ]),
  pinNvidia("cusparse", "12.5.1.3", [
    217558979,
    "016df8e993c437e8301e62739f01775cba988fd5253cd4c64173f8e8d2f8e752",
  ]),
  pinNvidia("nccl", "2.21.5", [
    188654414,
    "8579076d30a8c24988834445f8d633c697d42397e92ffc3f63fa26766d25e0a0",
  ]),
  pinNvidia("nvjitlink", "12.5.82", [
    21298879,
    "f9b37bc5c8cf7509665cb6ada5aaa0ce65618f2332b7d3e78e9790511f111212",
  ]),
]);

/** ONNX Runtime with its CUDA provider, built for CUDA 13. */
export const ONNXRUNTIME_GPU: PinnedWheel = pin("onnxruntime-gpu", "1.31.1", [
  "cp311-cp311-manylinux_2_28_x86_64",
  255560985,
  "e26c475fe361b2015f45b4b824bd13f0bb20204e59b62814e6f0acd5f3d491a6",
]);
