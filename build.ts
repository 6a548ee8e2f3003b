import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build as bundle, type BuildOptions, type Plugin } from 'rolldown';
import { isolatedDeclaration } from 'rolldown/experimental';
import { workerFile } from './src/execution/bundles.ts';
import { isolateGlobal } from './src/execution/isolate-global.ts';
import type { ClientName } from './src/record/plan.ts';
import { taskName } from './src/workloads/entry.ts';
import { workloads } from './src/workloads/registry.ts';

const root = import.meta.dirname;
const dist = join(root, 'dist');

/**
 * Builds dist/: the service, the runner, the emulator, for each task what executes it elsewhere, and the module that
 * others import. What a cold worker loads is part of what is measured, so each worker is one file with only what its
 * task needs, and no TypeScript is stripped while a run lasts.
 */
export async function build(): Promise<void> {
  await rm(dist, { recursive: true, force: true });
  const codes = await taskCodes();
  await Promise.all([
    bundle(
      packageBundle({
        main: 'src/main.ts',
        register: 'otel/register.ts',
        emulator: 'src/emulator/entry.ts',
        compare: 'src/cli/compare.ts',
        study: 'src/cli/study.ts',
        runtimes: 'src/cli/runtimes.ts',
        load: 'src/cli/load.ts',
      }),
    ),
    bundle(runnerBundle()),
    bundle(packageBundle({ 'signed-request': 'src/aws/signed-request.ts' })),
    declare('src/aws/signed-request.ts', 'signed-request.d.ts'),
    ...[
      ...codes.flatMap((code) => [...workerBundles(code), ...isolateSource(code)]),
      ...isolateWorkerBundles(),
    ].map((one) => bundle(one)),
  ]);
}

/** A task, by the module and the export under which its code is reached. */
interface TaskCode {
  readonly name: string;
  readonly module: string;
  readonly exported: string;
  readonly sendsHttp: boolean;
}

async function taskCodes(): Promise<TaskCode[]> {
  const codes = workloads.map(async (workload) => {
    const { name, accesses } = workload.declaration;
    const implementation = await workload.load();
    return (accesses.length === 0 ? [null] : accesses).map((access) => ({
      name: access === null ? name : `${name}-${access}`,
      module: join(root, 'src/workloads', `${name}.ts`),
      exported: taskName(access),
      sendsHttp: implementation[taskName(access)]?.uses === 'http',
    }));
  });
  return (await Promise.all(codes)).flat();
}

const common = { platform: 'node', cwd: root, logLevel: 'warn' } as const satisfies BuildOptions;

/** What is measured runs in every runtime, and must be the same code in each. */
const measured = { ...common, transform: { target: 'node22' } } as const satisfies BuildOptions;

function packageBundle(input: Record<string, string>): BuildOptions {
  return {
    ...common,
    input,
    // Packages stay packages: instrumentation finds express and node:http by their names, and who imports a module of
    // ours has the SDK already.
    external: [/^[^./]/u],
    output: { dir: dist, entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
  };
}

/**
 * Writes the types of what a module exports. They may need packages' types, but none of our other files.
 *
 * @throws Error when an export's type is not written out
 */
async function declare(module: string, file: string): Promise<void> {
  const { code, errors } = await isolatedDeclaration(module, await readFile(join(root, module), 'utf8'));
  if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join('\n'));
  await mkdir(dist, { recursive: true });
  await writeFile(join(dist, file), code);
}

function runnerBundle(): BuildOptions {
  return {
    ...measured,
    input: { runner: 'src/runner/entry.ts', probe: 'src/runner/probe.ts' },
    external: nativePackages,
    output: { dir: dist, entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
  };
}

/** Native code can't be bundled. */
const nativePackages = ['isolated-vm'];

/** One file for each client that a task can send with, so that none carries another's code. */
function workerBundles(code: TaskCode): BuildOptions[] {
  return clientsOf(code).map((client) =>
    oneFile(
      `workers/${workerFile(code.name, client)}`,
      `import { serve } from ${path('src/execution/serve.ts')};
       ${importOf(client)}
       import { ${code.exported} as task } from ${JSON.stringify(code.module)};
       serve(task, openHttp);`,
    ),
  );
}

/** The task itself comes as source text, so one file a client serves all. */
function isolateWorkerBundles(): BuildOptions[] {
  return [null, ...clientNames].map((client) =>
    oneFile(
      `workers/${workerFile('isolate', client)}`,
      `import { serveIsolate } from ${path('src/execution/serve-isolate.ts')};
       ${importOf(client)}
       serveIsolate(openHttp);`,
    ),
  );
}

function isolateSource(code: TaskCode): BuildOptions[] {
  if (code.exported === 'sdk') return [];
  const source = `export { ${code.exported} as task } from ${JSON.stringify(code.module)};`;
  return [oneFile(`isolates/${code.name}.js`, source, { format: 'iife', name: isolateGlobal })];
}

const clientNames: readonly ClientName[] = ['got', 'undici'];

function clientsOf({ sendsHttp }: TaskCode): readonly (ClientName | null)[] {
  return sendsHttp ? clientNames : [null];
}

/** The client's opener under the name `openHttp`. */
function importOf(client: ClientName | null): string {
  if (client === null) return 'const openHttp = null;';
  const opener = { got: 'openGot', undici: 'openUndici' }[client];
  return `import { ${opener} as openHttp } from ${path(`src/execution/${client}-client.ts`)};`;
}

function path(relative: string): string {
  return JSON.stringify(join(root, relative));
}

function oneFile(
  file: string,
  source: string,
  output: { format?: 'iife' | 'esm'; name?: string } = {},
): BuildOptions {
  return {
    ...measured,
    input: 'virtual:entry',
    external: nativePackages,
    plugins: [virtualEntry(source)],
    output: { file: join(dist, file), codeSplitting: false, ...output },
  };
}

function virtualEntry(source: string): Plugin {
  return {
    name: 'virtual-entry',
    resolveId: (id) => (id === 'virtual:entry' ? join(root, 'virtual-entry.ts') : null),
    load: (id) => (id === join(root, 'virtual-entry.ts') ? source : null),
  };
}

if (import.meta.main) await build();
