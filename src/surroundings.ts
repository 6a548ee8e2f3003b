import type { Config } from './config.ts';
import type { Surroundings } from './http/comparison/view.ts';

/** What a comparison is made with, as far as the service knows of itself. @param versions of packages, by name */
export function surroundingsOf(
  { target, emulator }: Pick<Config, 'target' | 'emulator'>,
  versions: Surroundings['versions'],
): Surroundings {
  return { target: target.name, emulator: target.name === 'emulator' ? emulator : null, versions };
}
