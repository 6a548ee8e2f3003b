import type { WorkloadDeclaration } from '../workloads/declaration.ts';
import type { World } from './world.ts';

/** What follows from a world and a workload, neither of which changes: made when it is first wanted, once. */
export function perWorld<Made>(
  make: (workload: WorkloadDeclaration, world: World) => Made,
): (workload: WorkloadDeclaration, world: World) => Made {
  const made = new WeakMap<World, Map<WorkloadDeclaration, Made>>();
  return (workload, world) => {
    const ofWorld = made.get(world) ?? new Map<WorkloadDeclaration, Made>();
    made.set(world, ofWorld);
    const known = ofWorld.get(workload);
    if (known !== undefined) return known;
    const first = make(workload, world);
    ofWorld.set(workload, first);
    return first;
  };
}
