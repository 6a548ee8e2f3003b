import { BenchError, inWords, type ParameterProblem } from '../errors.ts';
import type { ClientName, Join, ParameterValue, Pool, RunPlan, Validation, Warning } from '../record/plan.ts';
import { isRuntimeName } from '../runner/runtimes.ts';
import type { StrategyDeclaration } from '../strategies/declaration.ts';
import type { WorkloadDeclaration } from '../workloads/declaration.ts';
import { didYouMean } from './nearest-name.ts';
import { holdsMainThread, joinRefusal, poolRefusal, runtimeRefusal } from './combinations.ts';
import { allowedBy, joins, parametersOf } from './parameters.ts';
import { strategiesOf, strategyNames, type NamedStrategy } from './strategies-of.ts';
import type { World } from './world.ts';

/** What a run is asked for: parameters as they were given, each once. */
export interface RunRequest {
  readonly workload: string;
  readonly given: Readonly<Record<string, string>>;
  /** What was wrong with the way they were given; reported together with everything found here. */
  readonly problems: readonly ParameterProblem[];
}

/**
 * Resolves a request into a plan: every default filled in, every combination checked. The only place that refuses one.
 *
 * @throws BenchError `unknown_workload`; `invalid_parameter` or `unsupported_combination` with all problems at once;
 *   `not_configured`
 */
export function planRun(request: RunRequest, world: World): RunPlan {
  const workload = workloadNamed(request.workload, world);
  const problems = [...request.problems];
  const values = resolveValues(request.given, workload, world, problems);
  const strategy = strategiesOf(workload, world).find(({ name }) => name === values.get('strategy'));
  const refused = refusedCombinations(
    request.given,
    workload,
    strategy,
    values,
    world,
    new Set(problems.map(({ field }) => field)),
  );
  if (problems.length + refused.length > 0 || strategy === undefined) {
    throw refusalOf([...problems, ...refused], problems.length > 0);
  }
  const missing = workload.missingSetting(world.target);
  if (missing !== null) throw new BenchError('not_configured', missing);
  return Object.freeze(
    resolve(workload, strategy, values, request.given['concurrency'] !== undefined, world),
  );
}

/** @throws BenchError `unknown_workload` */
export function workloadNamed(name: string, { workloads }: World): WorkloadDeclaration {
  const entry = workloads.find(({ declaration }) => declaration.name === name);
  if (entry !== undefined) return entry.declaration;
  const names = workloads.map(({ declaration }) => declaration.name);
  throw new BenchError('unknown_workload', `There is no workload "${name}". There are ${names.join(', ')}.`, {
    problems: [{ field: 'workload', value: name, reason: 'is not a workload', allowed: names }],
  });
}

type Values = ReadonlyMap<string, ParameterValue>;

/** Parses what was given and fills in defaults; what can't be parsed becomes a problem. */
function resolveValues(
  given: RunRequest['given'],
  workload: WorkloadDeclaration,
  world: World,
  problems: ParameterProblem[],
): Values {
  const declarations = parametersOf(workload, world);
  const refusedNames = strategyNames(workload, world).refused;
  for (const [field, value] of Object.entries(given)) {
    if (!Object.hasOwn(declarations, field))
      problems.push(unknownParameter(field, value, workload, world, Object.keys(declarations)));
  }
  const values = new Map<string, ParameterValue>();
  for (const [field, declaration] of Object.entries(declarations)) {
    const text = given[field];
    if (declaration.default !== null) values.set(field, declaration.default);
    if (text === undefined) continue;
    const allowed = allowedBy(declaration);
    if (declaration.kind === 'integer') {
      const reason = integerProblem(text, declaration.minimum, declaration.maximum);
      if (reason === null) values.set(field, Number(text));
      else problems.push({ field, value: text, reason, allowed });
    } else if (declaration.kind === 'boolean' && (text === 'true' || text === 'false')) {
      values.set(field, text === 'true');
    } else if (
      (declaration.kind === 'choice' && declaration.values.includes(text)) ||
      (field === 'strategy' && refusedNames.includes(text))
    ) {
      values.set(field, text);
    } else {
      problems.push({
        field,
        value: text,
        reason: text === '' ? 'is empty' : `is not one of the values${hint(field, text, allowed)}`,
        allowed,
      });
    }
  }
  return values;
}

/** What may help whoever gave a value that there is not. */
function hint(field: string, text: string, allowed: string | readonly string[]): string {
  if (typeof allowed === 'string') return '';
  if (field === 'runtime' && isRuntimeName(text)) {
    return `; to have it: npm run runtimes -- ${text}, then start with RUNTIMES=${[...allowed, text].join(',')}`;
  }
  return didYouMean(text, allowed);
}

export function integerProblem(text: string, minimum: number, maximum: number): string | null {
  if (text === '') return 'is empty';
  if (!/^(0|[1-9]\d*)$/.test(text)) return 'is not a whole number in decimal digits, without leading zeros';
  const value = Number(text);
  if (value < minimum) return `is below ${minimum}`;
  return value > maximum ? `is above ${maximum}` : null;
}

/** @param allowed the parameters that there are */
export function unknownParameter(
  field: string,
  value: string,
  workload: WorkloadDeclaration,
  world: World,
  allowed: readonly string[],
): ParameterProblem {
  const owners = world.workloads
    .map(({ declaration }) => declaration)
    .filter((declaration) => Object.hasOwn(parametersOf(declaration, world), field))
    .map(({ name }) => name);
  if (owners.length > 0) {
    const reason = `has no effect on ${workload.name}: it belongs to ${owners.join(', ')}`;
    return { field, value, reason, allowed };
  }
  return { field, value, reason: `is not a parameter${didYouMean(field, allowed)}`, allowed };
}

/**
 * Values that are sound each for itself but can't go together. An unsound one (its field is in `unsound`) stands at
 * its default here, which nobody asked for: nothing is concluded from it.
 */
function refusedCombinations(
  given: RunRequest['given'],
  workload: WorkloadDeclaration,
  strategy: NamedStrategy | undefined,
  values: Values,
  world: World,
  unsound: ReadonlySet<string>,
): ParameterProblem[] {
  if (strategy === undefined || unsound.has('strategy')) return [];
  const problems: ParameterProblem[] = [];
  const refuse: Refuse = (field, reason, allowed) => {
    problems.push({ field, value: given[field] ?? null, reason, allowed });
  };
  const { limits } = world;
  if (strategy.refusal !== null) {
    refuse('strategy', strategy.refusal, strategyNames(workload, world).possible);
  }
  if (strategy.refusal === null && !unsound.has('runtime')) refuseRuntime(strategy, values, world, refuse);
  if (given['client'] !== undefined && !unsound.has('client') && strategy.access === 'sdk') {
    refuse('client', 'has no effect on sdk strategies: the SDK brings its own client', 'leave it out');
  }
  if (given['concurrency'] !== undefined && !unsound.has('concurrency')) {
    const concurrency = Number(values.get('concurrency'));
    const tasks = Number(values.get('tasks'));
    if (strategy.declaration.tasksAtOnce === 'one' && concurrency !== 1) {
      refuse('concurrency', `${strategy.declaration.name} runs one task after another`, '1');
    } else if (concurrency > tasks && !unsound.has('tasks')) {
      refuse('concurrency', `is above tasks, which is ${tasks}`, `1 … ${tasks}`);
    }
  }
  const poolReason = unsound.has('pool') ? null : poolRefusal(workload, strategy.declaration, poolOf(values));
  if (poolReason !== null) refuse('pool', poolReason, ['cold']);
  if (unsound.has('join')) return problems;
  const join = joinOf(values);
  const reason = joinRefusal(workload, strategy.declaration, join);
  if (reason !== null) {
    const usable = joins.filter((other) => joinRefusal(workload, strategy.declaration, other) === null);
    refuse('join', reason, usable);
  }
  if (join !== 'hedged' && given['hedgeAfterMs'] !== undefined) {
    refuse('hedgeAfterMs', 'has an effect with join=hedged only', 'leave it out');
  }
  if (join === 'hedged' && given['hedgeAfterMs'] === undefined) {
    refuse('hedgeAfterMs', 'must be given with join=hedged', `1 … ${limits.runTimeoutMs}`);
  }
  if (join !== 'first-valid' && given['validate'] !== undefined) {
    refuse('validate', 'has an effect with join=first-valid only', 'leave it out');
  }
  return problems;
}

type Refuse = (field: string, reason: string, allowed: ParameterProblem['allowed']) => void;

function refuseRuntime(
  { declaration }: NamedStrategy,
  values: Values,
  { runtimes }: World,
  refuse: Refuse,
): void {
  const able = runtimes.filter((runtime) => runtimeRefusal(declaration, runtime) === null);
  const asked = runtimes.find(({ name }) => name === values.get('runtime'));
  const reason = asked === undefined ? null : runtimeRefusal(declaration, asked);
  if (reason !== null)
    refuse(
      'runtime',
      reason,
      able.map(({ name }) => name),
    );
}

export function refusalOf(problems: readonly ParameterProblem[], syntactic: boolean): BenchError {
  const told = inWords(problems);
  const code = syntactic ? 'invalid_parameter' : 'unsupported_combination';
  return new BenchError(code, /[.?]$/.test(told) ? told : `${told}.`, { problems });
}

function resolve(
  workload: WorkloadDeclaration,
  { name, access, declaration }: NamedStrategy,
  values: Values,
  concurrencyGiven: boolean,
  world: World,
): RunPlan {
  const tasks = Number(values.get('tasks'));
  const asked = concurrencyGiven ? Number(values.get('concurrency')) : tasks;
  const { concurrency, warnings } = concurrencyOf(declaration, asked, world);
  const onMainThread = declaration.runsOn === 'main-thread';
  const join = joinOf(values);
  return {
    workload: workload.name,
    strategy: name,
    fanOut: declaration.name,
    runsOn: declaration.runsOn,
    isolate: declaration.isolate,
    access,
    tasks,
    concurrency,
    pool: poolOf(values),
    client: access === 'sdk' ? null : clientOf(values, workload),
    join,
    hedgeAfterMs: join === 'hedged' ? Number(values.get('hedgeAfterMs')) : null,
    validate: join === 'first-valid' ? validationOf(values, workload) : null,
    attempts: Number(values.get('attempts') ?? 1),
    detail: values.get('detail') === 'phases' ? 'phases' : 'tasks',
    timeoutMs: Number(values.get('timeoutMs')),
    runtime: String(values.get('runtime')),
    target: world.target.name,
    params: Object.freeze(
      Object.fromEntries(Object.keys(workload.params).map((field) => [field, values.get(field) ?? ''])),
    ),
    runnerKind: declaration.isolate && declaration.runsOn !== 'child-process' ? 'isolates' : 'plain',
    holdsMainThread: holdsMainThread(workload, declaration),
    cpuBound: workload.work === 'cpu',
    workers: onMainThread && !declaration.isolate ? 0 : concurrency,
    warnings: Object.freeze(warnings),
  };
}

function clientOf(values: Values, { clients }: WorkloadDeclaration): ClientName | null {
  return clients.find((client) => client === values.get('client')) ?? null;
}

function poolOf(values: Values): Pool {
  return values.get('pool') === 'warm' ? 'warm' : 'cold';
}

function joinOf(values: Values): Join {
  return joins.find((join) => join === values.get('join')) ?? 'all';
}

function validationOf(values: Values, { validations }: WorkloadDeclaration): Validation | null {
  return validations.find((validation) => validation === values.get('validate')) ?? null;
}

function concurrencyOf(
  { runsOn, tasksAtOnce }: StrategyDeclaration,
  asked: number,
  { limits: { maxWorkers } }: World,
): { readonly concurrency: number; readonly warnings: readonly Warning[] } {
  if (tasksAtOnce === 'one') return { concurrency: 1, warnings: [] };
  if (runsOn === 'main-thread' || asked <= maxWorkers) return { concurrency: asked, warnings: [] };
  const message = `At most ${maxWorkers} workers run at once (MAX_WORKERS), so concurrency is ${maxWorkers} instead of ${asked}.`;
  return { concurrency: maxWorkers, warnings: [{ code: 'concurrency_capped', message }] };
}
