import { redactText } from '../../otel/redaction.ts';
import { connectionProblem } from '../reachable.ts';
import type { TargetSettings } from './target.ts';

/** How long a target may take to accept a connection. */
const limitMs = 2_000;

/** Why the target's S3 endpoint, AWS's own of the region where none is set, does not accept connections; or `null`. */
export async function unreachable({ endpoints, region }: TargetSettings): Promise<string | null> {
  const url = endpoints.s3 ?? `https://s3.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
  const problem = await connectionProblem(new URL(url), limitMs);
  return problem === null ? null : redactText(`${url} can't be reached: ${problem}`);
}
