import { build } from '../build.ts';

/** The tests run what users run: the bundles, built once from the sources as they are. */
export async function setup(): Promise<void> {
  await build();
}
