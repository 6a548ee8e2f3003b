import type {
  IntegerParameter,
  ListParameter,
  NumberOrWordParameter,
  ParameterDeclaration,
  ParameterDeclarations,
} from '../record/parameters.ts';
import type { Join, Pool } from '../record/plan.ts';
import type { WorkloadDeclaration } from '../workloads/declaration.ts';
import { sendsRequests } from './combinations.ts';
import { perWorld } from './per-world.ts';
import { strategyNames } from './strategies-of.ts';

/**
 * Every parameter that a run of a workload takes, as plain data: validation, the catalogue and OpenAPI are made from
 * this one list. A parameter without effect on the workload is not in it.
 */
export const parametersOf = perWorld((workload, world): ParameterDeclarations => {
  const { limits } = world;
  const runtimes = world.runtimes.map(({ name }) => name);
  const tasks = Math.min(workload.defaultTasks, limits.maxTasks);
  return {
    strategy: choice(
      'How the tasks fan out.',
      strategyNames(workload, world).possible,
      workload.defaultStrategy,
    ),
    tasks: integer('How many tasks.', 1, limits.maxTasks, tasks),
    concurrency: integer('How many tasks at once; as many as tasks by default.', 1, limits.maxTasks, null),
    pool: choice(
      'Whether workers, isolates and connections are made for the run, or kept from run to run.',
      pools,
      'cold',
    ),
    ...(workload.clients.length === 0
      ? {}
      : {
          client: choice(
            'The HTTP client of tasks that send plain requests.',
            workload.clients,
            workload.clients[0] ?? '',
          ),
        }),
    join: choice('When the run is done.', joinsOf(workload), 'all'),
    hedgeAfterMs: integer(
      'With join=hedged, where it must be given: how long none may have answered until another task is started.',
      1,
      limits.runTimeoutMs,
      null,
    ),
    ...(workload.validations.length === 0
      ? {}
      : {
          validate: choice(
            'With join=first-valid: what makes an answer valid.',
            workload.validations,
            workload.validations[0] ?? '',
          ),
        }),
    ...(sendsRequests(workload) ? { attempts: integer('How often one request may be sent.', 1, 5, 1) } : {}),
    detail: choice('How much of a task the trace shows.', ['tasks', 'phases'], 'tasks'),
    runtime: choice('The JavaScript runtime that executes the run.', runtimes, runtimes[0] ?? ''),
    timeoutMs: integer('The time limit, in milliseconds.', 1, limits.runTimeoutMs, limits.runTimeoutMs),
    ...workload.params,
  };
});

export const pools: readonly Pool[] = ['cold', 'warm'];
export const joins: readonly Join[] = ['all', 'race', 'first-valid', 'hedged'];

function joinsOf({ validations }: WorkloadDeclaration): readonly Join[] {
  return validations.length === 0 ? joins.filter((join) => join !== 'first-valid') : joins;
}

/** What a parameter allows, in words or as a list. */
export function allowedBy(
  declaration: ParameterDeclaration | ListParameter | NumberOrWordParameter,
): string | readonly string[] {
  switch (declaration.kind) {
    case 'list':
      return allowedBy(declaration.items);
    case 'number-or-word':
      return `${declaration.word}, or ${declaration.minimum} … ${declaration.maximum}`;
    case 'choice':
      return declaration.values;
    case 'boolean':
      return ['true', 'false'];
    case 'integer':
      return `${declaration.minimum} … ${declaration.maximum}`;
  }
}

export function integer(
  summary: string,
  minimum: number,
  maximum: number,
  fallback: number | null,
): IntegerParameter {
  return { kind: 'integer', summary, minimum, maximum, default: fallback };
}

export function choice(summary: string, values: readonly string[], fallback: string): ParameterDeclaration {
  return { kind: 'choice', summary, values, default: fallback };
}
