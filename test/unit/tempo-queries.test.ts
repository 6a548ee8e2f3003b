import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { comparisonAttribute, runAttribute, semantic, taskAttribute } from '../../otel/names.ts';

/** The queries of deploy/tempo/README.md: where the tests run there is no Tempo that they could be asked of. */
const deploy = join(import.meta.dirname, '../../deploy');
const read = (path: string): string => readFileSync(join(deploy, path), 'utf8');
const queries = [...read('tempo/README.md').matchAll(/^\|[^|]+\| `(\{.+)` +\|$/gmu)].map(([, query = '']) =>
  query.replaceAll(String.raw`\|`, '|'),
);
const names: readonly string[] = [comparisonAttribute, runAttribute, semantic, taskAttribute].flatMap(
  (group) => Object.values(group),
);
/** Times: fractions of a millisecond or second count, so their values travel as doubles. All other numbers are counts. */
const isDouble = (name: string): boolean => name.endsWith('_ms') || name === semantic.genAiTimeToFirstChunk;

describe('the queries for Tempo', () => {
  it('are there', () => expect(queries).toHaveLength(10));

  it.each(queries)('%s: asks for attributes that spans have', (query) => {
    const asked = [...query.matchAll(/\bspan\.([\w.]+)/gu)].map(([, name = '']) => name);
    expect(names).toEqual(expect.arrayContaining(asked));
  });

  it('compare what is a double with a double, and a count with an integer: Tempo finds nothing otherwise', () => {
    const compared = queries.flatMap((query) =>
      [...query.matchAll(/\bspan\.([\w.]+) [!<=>]+ ([\d.]+)/gu)].map(([, name = '', number = '']) => ({
        name,
        number,
      })),
    );
    expect(compared.filter(({ name }) => isDouble(name))).toHaveLength(2);
    for (const { name, number } of compared)
      expect(number).toMatch(isDouble(name) ? /^\d+\.\d+$/u : /^\d+$/u);
  });

  it('have what answers those that make a graph', () => {
    expect(queries.filter((query) => query.includes('_over_time('))).toHaveLength(1);
    const { metrics_generator: generator, overrides } = z
      .looseObject({
        metrics_generator: z.object({
          processor: z.object({ local_blocks: z.object({ filter_server_spans: z.boolean() }) }),
          storage: z.object({ path: z.string() }),
          traces_storage: z.object({ path: z.string() }),
        }),
        overrides: z.object({
          defaults: z.object({ metrics_generator: z.object({ processors: z.array(z.string()) }) }),
        }),
      })
      .parse(parse(read('tempo/config.yaml')));
    expect(overrides.defaults.metrics_generator.processors).toEqual(['local-blocks']);
    // The spans of runs are internal ones.
    expect(generator.processor.local_blocks.filter_server_spans).toBe(false);
    for (const { path } of [generator.storage, generator.traces_storage])
      expect(path).toMatch(/^\/var\/tempo\//u);
  });

  it('were tried with the Tempo that is composed', () => {
    const composed = /grafana\/tempo:(\S+)/u.exec(read('compose.grafana.yaml'))?.[1] ?? '';
    expect(read('tempo/README.md')).toContain(`a Tempo ${composed}`);
    expect(read('README.md')).toMatch(new RegExp(`\\| Tempo +\\| by hand, ${RegExp.escape(composed)} `, 'u'));
  });
});
