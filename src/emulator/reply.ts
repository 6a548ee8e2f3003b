import { createHash } from 'node:crypto';
import { pickOf, proseOf } from './prose.ts';

/** What a model is asked, whichever operation asked it. */
export interface Prompt {
  readonly system: string;
  readonly turns: readonly Turn[];
  /** `null`: as long as the answer is. */
  readonly maxTokens: number | null;
}

export interface Turn {
  readonly role: 'user' | 'assistant';
  readonly text: string;
}

/** What it answers. */
export interface Reply {
  /** Hex, of the prompt. */
  readonly digest: string;
  readonly text: string;
  /** The text in the pieces that a stream sends. */
  readonly tokens: readonly string[];
  readonly inputTokens: number;
  readonly stopReason: 'end_turn' | 'max_tokens';
}

/** What the answer is like; `asked`: as the prompt asks for. */
export type Mood = 'asked' | 'nonsense' | 'empty';

/**
 * The answer to a prompt, always the same one: a few sentences, or a JSON object or SQL statement where the prompt
 * speaks of JSON or SQL (of both: JSON).
 */
export function replyTo({ system, turns, maxTokens }: Prompt, mood: Mood): Reply {
  const digest = createHash('sha256')
    .update(JSON.stringify([system, turns.map(({ role, text }) => [role, text])]))
    .digest('hex');
  const whole = tokensOf(textFor(digest, `${system}\n${lastUserText(turns)}`, mood));
  const tokens = maxTokens === null ? whole : whole.slice(0, maxTokens);
  return {
    digest,
    text: tokens.join(''),
    tokens,
    inputTokens: [system, ...turns.map(({ text }) => text)].reduce(
      (sum, text) => sum + tokensOf(text).length + (text === '' ? 0 : tokensPerTurn),
      0,
    ),
    stopReason: tokens.length < whole.length ? 'max_tokens' : 'end_turn',
  };
}

export function lastUserText(turns: readonly Turn[]): string {
  return turns.findLast(({ role }) => role === 'user')?.text ?? '';
}

/** What marks a turn as one. */
const tokensPerTurn = 4;

/** About as a model's tokenizer would: short words, digits by threes and marks, each with the space before it. */
export function tokensOf(text: string): readonly string[] {
  return text.match(/\s*(?:\p{L}{1,8}|\p{N}{1,3}|[^\s\p{L}\p{N}])|\s+/gu) ?? [];
}

function textFor(digest: string, prompt: string, mood: Mood): string {
  if (mood === 'empty') return '';
  if (mood === 'nonsense') return proseOf(`nonsense ${digest}`, 3);
  if (/\bjson\b/i.test(prompt)) return jsonFor(digest);
  return /\bsql\b/i.test(prompt) ? sqlFor(digest) : proseOf(digest, 4);
}

function jsonFor(digest: string): string {
  const topic = pickOf(`topic ${digest}`, ['latency', 'throughput', 'cost', 'reliability']);
  const score = Number.parseInt(digest.slice(0, 2), 16) / 255;
  return JSON.stringify({ topic, summary: proseOf(digest, 2), score: Number(score.toFixed(2)) }, null, 2);
}

function sqlFor(digest: string): string {
  const [table, column] = pickOf(`table ${digest}`, [
    ['orders', 'customer_id'],
    ['requests', 'route'],
    ['tasks', 'strategy'],
  ]);
  const aggregate = pickOf(`aggregate ${digest}`, ['COUNT(*)', 'AVG(duration_ms)', 'MAX(duration_ms)']);
  const limit = pickOf(`limit ${digest}`, [5, 10, 20]);
  return [
    `SELECT ${column}, ${aggregate} AS result`,
    `FROM ${table}`,
    "WHERE created_at >= '2026-01-01'",
    `GROUP BY ${column}`,
    'ORDER BY result DESC',
    `LIMIT ${limit};`,
  ].join('\n');
}
