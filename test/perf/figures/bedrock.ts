import type { RunningService } from '../../support/service.ts';
import { ratio, type Compared, type FigureGroup } from '../figure.ts';
import { interleave, way, type Way } from '../rounds.ts';
import { withService } from '../with-service.ts';

type Run = Awaited<ReturnType<RunningService['run']>>;

/** Draws of a log-normal differ much, and one seed's are always the same: so each figure is over several. */
const seeds = [1, 2, 3, 4, 5];

/** The study's finding for three calls of a model: signed before the fan-out and sent at once, against one by one. */
export const bedrock: FigureGroup = {
  name: 'bedrock',
  async measure(settings) {
    const presigned: Run[] = [];
    const sdk: Run[] = [];
    const rounds = Math.max(2, Math.ceil(settings.rounds / seeds.length));
    for (const seed of seeds) {
      await withService(
        async (service) => {
          const ways = [wayOf(service, 'presigned-async'), wayOf(service, 'sdk-single')] as const;
          await interleave(ways, { ...settings, rounds, warmups: 1 });
          presigned.push(...ways[0].samples);
          sdk.push(...ways[1].samples);
        },
        { EMULATOR_SEED: String(seed) },
      );
    }
    return [
      ratio(
        'bedrock ×3: presigned-async / sdk-single',
        whole('presigned', presigned),
        whole('sdk', sdk),
        0.4,
      ),
      ratio('  … the slowest answer alone / sdk-single', slowest(presigned), whole('sdk', sdk), null),
    ];
  },
};

function wayOf(service: RunningService, strategy: string): Way<Run> {
  return way(strategy, () => service.run(`/bench/bedrock?strategy=${strategy}&tasks=3`));
}

function whole(name: string, samples: readonly Run[]): Compared {
  return { name, samples: samples.map(({ durationMs }) => durationMs) };
}

/** By the server's own word: what no client could undercut. */
function slowest(samples: readonly Run[]): Compared {
  return { name: 'slowest answer', samples: samples.map(({ analysis }) => analysis.limitMs ?? Number.NaN) };
}
