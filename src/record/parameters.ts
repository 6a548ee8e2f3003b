import type { ParameterValue } from './plan.ts';

/** A whole number, given as decimal digits. Both bounds are allowed values. */
export interface IntegerParameter {
  readonly kind: 'integer';
  readonly summary: string;
  readonly minimum: number;
  readonly maximum: number;
  /** `null`: it follows from other parameters, as the summary says. */
  readonly default: number | null;
}

/** One of a few words. */
export interface ChoiceParameter {
  readonly kind: 'choice';
  readonly summary: string;
  readonly values: readonly string[];
  readonly default: string;
}

/** `true` or `false`. */
export interface BooleanParameter {
  readonly kind: 'boolean';
  readonly summary: string;
  readonly default: boolean;
}

/**
 * What a parameter takes, as plain data: validation, the catalogue and OpenAPI are all made from it, and it
 * costs a worker nothing to carry.
 */
export type ParameterDeclaration = IntegerParameter | ChoiceParameter | BooleanParameter;

/** One or several values, separated by commas. Only comparisons take lists. */
export interface ListParameter {
  readonly kind: 'list';
  readonly summary: string;
  readonly items: ParameterDeclaration;
  /** Of each value; `null`: it follows from other parameters, as the summary says. */
  readonly default: ParameterValue | null;
}

/** A whole number, or the one word that stands for no fixed number. */
export interface NumberOrWordParameter {
  readonly kind: 'number-or-word';
  readonly summary: string;
  readonly word: string;
  readonly minimum: number;
  readonly maximum: number;
  readonly default: string;
}

export type ParameterDeclarations = Readonly<Record<string, ParameterDeclaration>>;

export type ParameterValues = Readonly<Record<string, ParameterValue>>;
