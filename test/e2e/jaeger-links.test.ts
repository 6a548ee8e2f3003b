import { beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { runSchema } from '../../src/http/schemas.ts';
import type { Jaeger } from '../support/real-servers.ts';
import type { RunningService } from '../support/service.ts';
import { startServiceWithJaeger } from '../support/traced-service.ts';
import { pictureOf } from './picture.ts';

/** What Jaeger tells its pages, of which a build from source has none. */
const configSchema = z.object({
  linkPatterns: z.tuple([z.object({ type: z.literal('tags'), key: z.string(), url: z.string() })]),
});

let jaeger: Jaeger;
let service: RunningService;
beforeAll(async () => {
  const traced = await startServiceWithJaeger();
  ({ service, jaeger } = traced);
  return traced.stop;
});

it("leads from a run's span, and from no other, to the run as JSON", async () => {
  const page = await (await fetch(jaeger.queryUrl)).text();
  const told: unknown = JSON.parse(/JAEGER_CONFIG = (\{.*\});/u.exec(page)?.[1] ?? 'null');
  const [{ key, url }] = configSchema.parse(told).linkPatterns;

  const body = await service.run('/bench/sts?strategy=presigned-async');
  const { run, spans } = await pictureOf(jaeger, body);
  expect(spans.filter(({ tags }) => key in tags)).toEqual([run]);
  const link = url.replace(`#{${key}}`, String(run.tags[key])).replace('http://localhost:8080', service.url);
  const answer = await fetch(link);
  expect(runSchema.parse(await answer.json()).run.id).toBe(body.run.id);
});
