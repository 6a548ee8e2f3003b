import type { RunningService } from '../../support/service.ts';
import { ratio, spreadOf, type Compared, type Figure, type FigureGroup } from '../figure.ts';
import { interleave, way, type Way } from '../rounds.ts';
import { median } from '../statistics.ts';
import { withService } from '../with-service.ts';

type Run = Awaited<ReturnType<RunningService['run']>>;

/** The study's finding for S3: signed before the fan-out and sent at once, against the SDK one by one. */
export const s3: FigureGroup = {
  name: 's3',
  measure: (settings) =>
    withService(async (service) => {
      const [presigned, sdk] = [wayOf(service, 'presigned-async'), wayOf(service, 'sdk-single')];
      await interleave([presigned, sdk], settings);
      return [
        ratio('s3 ×10: presigned-async / sdk-single', whole(presigned), whole(sdk), 0.15),
        ratio('  … their fan-outs alone', fanOut(presigned), fanOut(sdk), null),
        ratio('  … the slowest answer alone / sdk-single', slowestAnswer(presigned), whole(sdk), null),
        signing(presigned),
      ];
    }),
};

function wayOf(service: RunningService, strategy: string): Way<Run> {
  return way(strategy, () => service.run(`/bench/s3?strategy=${strategy}&tasks=10`));
}

function whole({ name, samples }: Way<Run>): Compared {
  return { name, samples: samples.map(({ durationMs }) => durationMs) };
}

/** The client's making included. */
function signing({ samples }: Way<Run>): Figure {
  const msEach = samples.map((run) => (run.signing?.durationMs ?? Number.NaN) / run.run.tasks);
  return {
    name: '  … signing, a request',
    unit: 'ms',
    measured: median(msEach),
    spread: spreadOf(msEach),
    atMost: 1,
    note: 'ten at once, with a new client',
    samples: { 'signing ms a request': msEach },
  };
}

/** By the server's own word: what no client could undercut. */
function slowestAnswer({ name, samples }: Way<Run>): Compared {
  const limits = samples.map(({ analysis }) => analysis.limitMs ?? Number.NaN);
  return { name: `${name} slowest answer`, samples: limits };
}

function fanOut({ name, samples }: Way<Run>): Compared {
  return { name: `${name} fan-out`, samples: samples.map(({ fanOutMs }) => fanOutMs ?? Number.NaN) };
}
