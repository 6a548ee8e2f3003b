/** One call of a model, as plain data. */
export interface ModelCall {
  readonly operation: 'converse' | 'invoke';
  readonly streamed: boolean;
  readonly modelId: string;
  readonly prompt: string;
  readonly maxTokens: number;
}

/** The name of the operation, as AWS has it. */
export function operationName({ operation, streamed }: Pick<ModelCall, 'operation' | 'streamed'>): string {
  if (operation === 'converse') return streamed ? 'ConverseStream' : 'Converse';
  return streamed ? 'InvokeModelWithResponseStream' : 'InvokeModel';
}

/** What the SDK hands back: a whole answer as JSON would have it, or its events as they come. */
export type Heard =
  | { readonly kind: 'whole'; readonly answer: unknown }
  | { readonly kind: 'event'; readonly type: string; readonly payload: unknown };
