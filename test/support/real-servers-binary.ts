import { execFile } from 'node:child_process';
import { access, constants, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { env, pid } from 'node:process';
import { promisify } from 'node:util';
import { z } from 'zod';

/** A server written in Go, as one fixed version of its source. */
export interface GoServer {
  readonly name: string;
  /** Without the `v`. */
  readonly version: string;
  readonly module: string;
  /** Folder of the main package inside the module. */
  readonly package: string;
  /** A module that lives in a folder of this one's repository, and so is not in its download. */
  readonly nested?: { readonly module: string; readonly version: string };
}

/**
 * The path of the server's executable: built from its source if the cache, `fanout-bench/bin` under
 * `XDG_CACHE_HOME`, lacks it, which takes minutes. Throws, saying what is missing, where it can't be built.
 */
export async function binaryOf(server: GoServer): Promise<string> {
  const folder = cacheFolder();
  const binary = join(folder, `${server.name}-${server.version}`);
  if (await isExecutable(binary)) return binary;
  await mkdir(folder, { recursive: true });
  await requireGo(server, binary);
  // Under a name of its own until it is whole, so that nobody starts half of it.
  const unfinished = `${binary}.${pid}.unfinished`;
  try {
    await build(server, unfinished);
    await rename(unfinished, binary);
  } finally {
    await rm(unfinished, { force: true });
  }
  return binary;
}

/** Where programs that tests need are kept from run to run. */
export function cacheFolder(): string {
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'fanout-bench', 'bin');
}

/**
 * A file of a Go module's source, as text: downloaded if the cache lacks it. Throws, saying what is missing, where it
 * can't be.
 */
export async function fileOfModule(module: string, version: string, path: string): Promise<string> {
  const kept = join(cacheFolder(), `${basename(module)}-${version}-${basename(path)}`);
  const there = await readFile(kept, 'utf8').catch(() => null);
  if (there !== null) return there;
  await requireGo({ name: path, version }, kept);
  const text = await readFile(join(await sourceOf(module, version), path), 'utf8');
  await mkdir(cacheFolder(), { recursive: true });
  await writeFile(kept, text);
  return text;
}

async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Go 1.21 fetches by itself the newer Go that a module asks for; the ones before it only fail. */
const oldestGo = 21;

async function requireGo(
  { name, version }: Pick<GoServer, 'name' | 'version'>,
  binary: string,
): Promise<void> {
  const remedy = `Install Go 1.${oldestGo} or newer (https://go.dev/dl), or put ${name} ${version} there.`;
  const stdout = await go(['env', 'GOVERSION']).catch((error: unknown) => {
    throw new Error(`There is no ${binary}, and no \`go\` to build it with. ${remedy}`, { cause: error });
  });
  const minor = Number(/^go1\.(\d+)/.exec(stdout)?.[1] ?? 0);
  if (minor < oldestGo) {
    throw new Error(
      `There is no ${binary}, and ${stdout.trim() || 'this go'} is too old to build it. ${remedy}`,
    );
  }
}

/** Not `go install`: it refuses modules that replace a dependency, as Jaeger does. */
async function build(
  { module, version, package: mainPackage, nested }: GoServer,
  output: string,
): Promise<void> {
  const source = await sourceOf(module, version);
  const parameters = ['-C', source, '-buildvcs=false', '-o', output];
  if (nested === undefined) return void (await go(['build', ...parameters, mainPackage]));
  // The go.mod replaces it by its folder; another one, and a go.sum beside it, by its own download.
  const folder = await mkdtemp(join(tmpdir(), 'fanout-bench-go-'));
  try {
    const goMod = join(folder, 'go.mod');
    await Promise.all(
      ['go.mod', 'go.sum'].map(async (name) =>
        writeFile(join(folder, name), await readFile(join(source, name))),
      ),
    );
    const its = await sourceOf(nested.module, nested.version);
    await go(['mod', 'edit', `-replace=${nested.module}=${its}`, goMod]);
    await go(['build', ...parameters, '-mod=mod', `-modfile=${goMod}`, mainPackage]);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Where the source of a module is, downloaded. */
async function sourceOf(module: string, version: string): Promise<string> {
  return Downloaded.parse(JSON.parse(await go(['mod', 'download', '-json', `${module}@v${version}`]))).Dir;
}

const Downloaded = z.object({ Dir: z.string() });

const run = promisify(execFile);
const longestBuildMs = 25 * 60_000;

/** What a `go` command prints. Its error carries what it said on stderr. */
async function go(parameters: readonly string[]): Promise<string> {
  const options = { env: { ...env, CGO_ENABLED: '0' }, timeout: longestBuildMs, maxBuffer: 64 * 1024 * 1024 };
  return (await run('go', parameters, options)).stdout;
}
