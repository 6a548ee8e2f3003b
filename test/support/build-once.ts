import { build } from '../../build.ts';

/** Builds dist/ before any test: processes under test are started from it. */
export async function setup(): Promise<void> {
  await build();
}
