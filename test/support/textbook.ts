/**
 * Hamilton depression scale factor before and after therapy. Hollander & Wolfe, Nonparametric Statistical Methods
 * (1973), p. 29; R: `?wilcox.test`.
 */
export const depression = {
  before: [1.83, 0.5, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.3],
  after: [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29],
} as const;

/**
 * Heights in inches of crossed and self-fertilised maize, in pairs. Darwin, The Effects of Cross and Self Fertilisation
 * (1876); Fisher, The Design of Experiments (1935), chapter 3.
 */
export const maize = {
  crossed: [23.5, 12, 21, 22, 19.125, 21.5, 22.125, 20.375, 18.25, 21.625, 23.25, 21, 22.125, 23, 12],
  selfed: [17.375, 20.375, 20, 20, 18.375, 18.625, 18.625, 15.25, 16.5, 18, 16.25, 18, 12.75, 15.5, 18],
} as const;

/**
 * Hours of sleep gained with two drugs by the same ten patients. Cushny & Peebles (1905), used by Student, The Probable
 * Error of a Mean (1908); R: `sleep`.
 */
export const sleep = {
  first: [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0, 2],
  second: [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4],
} as const;
