/** The part of jstat that is used here; it comes without types. */
declare module "jstat" {
  const jstat: {
    readonly jStat: {
      readonly studentt: { inv(probability: number, degreesOfFreedom: number): number };
      readonly beta: { inv(probability: number, alpha: number, beta: number): number };
      readonly normal: { inv(probability: number, mean: number, deviation: number): number };
      gammaln(x: number): number;
    };
  };
  export = jstat;
}
