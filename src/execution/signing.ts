import type { Pool } from '../record/plan.ts';
import type { OpenSigner, Signing } from '../workloads/inputs.ts';
import { Room } from './room.ts';
import { keyOf, mostIdleClients, Shelf, shelfDefaults } from './shelf.ts';

const shelf = new Shelf<OpenSigner>({
  ...shelfDefaults,
  room: new Room(mostIdleClients),
  dispose: (signer) => signer.close(),
});

/**
 * Signs what a run's tasks will send, with a client that is made for it, or with `pool=warm` is kept from run to run.
 * @param made all that the client is made from
 */
export async function signInputs(
  signing: Signing,
  pool: Pool,
  signal: AbortSignal,
  ...made: readonly unknown[]
): Promise<readonly unknown[]> {
  const key = pool === 'warm' ? keyOf(...made) : null;
  const { item: signer } = shelf.takeOrMake(key, () => signing.open());
  try {
    return await signing.sign(signer, signal);
  } finally {
    shelf.giveOrDispose(key, signer);
  }
}
