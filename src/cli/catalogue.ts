import { z } from 'zod';

/** `GET /workloads`, as far as it is read here. */
const catalogueSchema = z.looseObject({
  workloads: z.array(
    z.looseObject({
      name: z.string(),
      strategies: z.array(z.looseObject({ strategy: z.string(), possible: z.boolean() })),
    }),
  ),
});

/**
 * The strategies that are possible with a workload, by the catalogue of the service at `baseUrl`.
 * @throws Error when there is no such service, it does not answer with one, or it has no such workload; the signal's
 *   reason
 */
export async function possibleStrategies(
  baseUrl: string,
  workload: string,
  token: string | undefined,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const url = `${baseUrl.replace(/\/$/u, '')}/workloads`;
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  const answer = await fetch(url, { signal, headers }).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw new Error(`No service answers at ${baseUrl}.`, { cause });
  });
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}.`);
  const { workloads } = catalogueSchema.parse(await answer.json());
  const found = workloads.find(({ name }) => name === workload);
  const names = workloads.map(({ name }) => name).join(', ');
  if (found === undefined) throw new Error(`WORKLOAD: "${workload}" is not valid; expected one of ${names}.`);
  return found.strategies.filter(({ possible }) => possible).map(({ strategy }) => strategy);
}
