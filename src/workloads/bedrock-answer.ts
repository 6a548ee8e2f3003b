import { upstreamWord } from '../aws/upstream-word.ts';
import type { LlmRecord, TaskOutput } from '../record/record.ts';

/** In which form a model is asked: Bedrock's own, or that of its maker (Anthropic's Messages). */
export type ModelOperation = 'converse' | 'invoke';

type Said = Pick<TaskOutput, 'text'> & { readonly llm: LlmRecord };

/** A whole answer, parsed from JSON: its words, tokens and stop reason. */
export function readAnswer(operation: ModelOperation, answer: unknown): Said {
  const converse = operation === 'converse';
  const blocks = converse ? at(answer, 'output', 'message', 'content') : at(answer, 'content');
  const usage = at(answer, 'usage');
  return {
    text: (Array.isArray(blocks) ? blocks : []).map((block) => textIn(at(block, 'text'))).join(''),
    llm: {
      timeToFirstTokenMs: null,
      timePerOutputTokenMs: null,
      inputTokens: count(at(usage, converse ? 'inputTokens' : 'input_tokens')),
      outputTokens: count(at(usage, converse ? 'outputTokens' : 'output_tokens')),
      stopReason: word(at(answer, converse ? 'stopReason' : 'stop_reason')),
    },
  };
}

/** An answer that comes event by event. */
export class StreamedAnswer {
  readonly #operation: ModelOperation;
  readonly #words: string[] = [];
  #firstAtMs: number | null = null;
  #lastAtMs: number | null = null;
  #inputTokens: number | null = null;
  #outputTokens: number | null = null;
  #stopReason: string | null = null;

  constructor(operation: ModelOperation) {
    this.#operation = operation;
  }

  /** @param type as ConverseStream names it; the maker's own events name themselves */
  hear(atMs: number, type: string, payload: unknown): void {
    if (this.#operation === 'converse') this.#hearConverse(atMs, type, payload);
    else this.#hearInvoke(atMs, payload);
  }

  /** Whether it came to its end. */
  get complete(): boolean {
    return this.#stopReason !== null;
  }

  said(): Said {
    const [first, last, tokens] = [this.#firstAtMs, this.#lastAtMs, this.#outputTokens];
    const between = first === null || last === null || tokens === null || tokens < 2 ? null : last - first;
    return {
      text: this.#words.join(''),
      llm: {
        timeToFirstTokenMs: first,
        timePerOutputTokenMs: between === null || tokens === null ? null : between / (tokens - 1),
        inputTokens: this.#inputTokens,
        outputTokens: tokens,
        stopReason: this.#stopReason,
      },
    };
  }

  #hearConverse(atMs: number, type: string, payload: unknown): void {
    switch (type) {
      case 'contentBlockDelta':
        return this.#hearText(atMs, at(payload, 'delta', 'text'));
      case 'messageStop':
        this.#stopReason = word(at(payload, 'stopReason'));
        break;
      case 'metadata':
        this.#inputTokens = count(at(payload, 'usage', 'inputTokens'));
        this.#outputTokens = count(at(payload, 'usage', 'outputTokens'));
        break;
    }
  }

  #hearInvoke(atMs: number, payload: unknown): void {
    switch (at(payload, 'type')) {
      case 'message_start':
        this.#inputTokens = count(at(payload, 'message', 'usage', 'input_tokens'));
        break;
      case 'content_block_delta':
        return this.#hearText(atMs, at(payload, 'delta', 'text'));
      case 'message_delta':
        this.#stopReason = word(at(payload, 'delta', 'stop_reason'));
        this.#outputTokens = count(at(payload, 'usage', 'output_tokens'));
        break;
    }
  }

  #hearText(atMs: number, text: unknown): void {
    if (typeof text !== 'string') return;
    this.#words.push(text);
    this.#firstAtMs ??= atMs;
    this.#lastAtMs = atMs;
  }
}

/** What lies at a path of what came from outside; `undefined` where there is nothing. */
function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce(
    (inner: unknown, name) =>
      typeof inner === 'object' && inner !== null ? Reflect.get(inner, name) : undefined,
    value,
  );
}

function textIn(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** `unknown`: there is one, but none that can be told. */
function word(value: unknown): string | null {
  return typeof value === 'string' ? (upstreamWord(value) ?? 'unknown') : null;
}

function count(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
