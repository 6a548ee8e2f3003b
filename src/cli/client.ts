import { createParser } from 'eventsource-parser';
import type { Progress } from '../bench/compare/comparison.ts';
import type { ComparisonView } from '../http/comparison/view.ts';
import { comparisonSchema } from '../http/comparison/schema.ts';
import { problemSchema } from '../http/schemas.ts';

/** What the service said no to, in its words. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly status: number;

  constructor(status: number, detail: string) {
    super(detail);
    this.status = status;
  }
}

/**
 * Asks a service for a comparison and hears of its progress.
 * @throws RefusedError when it refuses or fails; Error when there is no such service; the signal's reason
 */
export async function ask(
  url: URL,
  token: string | undefined,
  signal: AbortSignal,
  onProgress: (progress: Progress) => void,
): Promise<ComparisonView> {
  const answer = await fetch(url, {
    signal,
    headers: { accept: 'text/event-stream', ...(token && { authorization: `Bearer ${token}` }) },
  }).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw new Error(`No service answers at ${url.origin}.`, { cause });
  });
  if (answer.body === null || !answer.ok) throw refused(answer.status, await answer.text());
  let ended: ComparisonView | RefusedError | null = null;
  const parser = createParser({
    onEvent({ event, data }) {
      if (event === 'progress') onProgress(JSON.parse(data));
      else if (event === 'result') ended = comparisonSchema.parse(JSON.parse(data));
      else if (event === 'problem') ended = refused(502, data);
    },
  });
  for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) parser.feed(chunk);
  signal.throwIfAborted();
  if (ended === null) throw new Error('The service ended before the comparison did.');
  return settled(ended);
}

function settled(ended: ComparisonView | RefusedError): ComparisonView {
  if (ended instanceof RefusedError) throw ended;
  return ended;
}

/** A run's fields may stand beside a problem's own. */
const told = problemSchema.loose();

function refused(status: number, body: string): RefusedError {
  try {
    const { detail, errors } = told.parse(JSON.parse(body));
    const allowed =
      errors?.map(({ field, allowed: values }) => `  ${field}: ${[values].flat().join(', ')}`) ?? [];
    return new RefusedError(
      status,
      [detail, ...(allowed.length > 0 ? ['Allowed:', ...allowed] : [])].join('\n'),
    );
  } catch {
    return new RefusedError(status, `The service answered with ${status}: ${body.slice(0, 200)}`);
  }
}
