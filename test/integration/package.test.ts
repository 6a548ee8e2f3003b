import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

/** What others get: the files of the package, and what it depends on. */
const root = join(import.meta.dirname, '../..');

function npm(...args: readonly string[]): unknown {
  // `npm pack` would build anew, under the feet of the suites.
  return JSON.parse(
    execFileSync('npm', [...args, '--ignore-scripts'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  );
}

describe('the package', () => {
  const packed = z
    .tuple([z.looseObject({ files: z.array(z.looseObject({ path: z.string(), size: z.int() })) })])
    .parse(npm('pack', '--dry-run', '--json'));
  const paths = packed[0].files.map(({ path }) => path);

  it('has what it runs with, what it exports and what explains it', () => {
    expect(paths).toEqual(
      expect.arrayContaining([
        'LICENSE',
        'README.md',
        'SECURITY.md',
        'package.json',
        'dist/main.js',
        'dist/register.js',
        'dist/runner.js',
        'dist/emulator.js',
        'dist/compare.js',
        'dist/load.js',
        'deploy/k6/load.ts',
        'dist/signed-request.js',
        'dist/signed-request.d.ts',
        'examples/signed-request.ts',
      ]),
    );
  });

  it('has nothing else', () => {
    const known =
      /^(?:dist\/.*\.(?:js|d\.ts)|deploy\/k6\/\w+\.(?:ts|md)|docs\/.*\.(?:md|json)|examples\/.*\.ts|LICENSE|README\.md|SECURITY\.md|package\.json)$/u;
    expect(paths.filter((path) => !known.test(path))).toEqual([]);
  });

  it('says nothing of the machine that built it', () => {
    const telling = new RegExp([root, process.env['HOME']].filter(Boolean).join('|'), 'u');
    const built = paths.filter((path) => path.startsWith('dist/'));
    expect(built.filter((path) => telling.test(readFileSync(join(root, path), 'utf8')))).toEqual([]);
  });
});

describe('what the package depends on', () => {
  const locked = z
    .object({
      packages: z.record(
        z.string(),
        z.looseObject({
          license: z.string().optional(),
          dev: z.boolean().optional(),
          devOptional: z.boolean().optional(),
        }),
      ),
    })
    .parse(JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')));
  const needed = Object.entries(locked.packages).filter(([path, { dev }]) => path !== '' && dev !== true);

  it('may be used and passed on by anyone: no licence but these', () => {
    const allowed =
      /^\(?(?:MIT|Apache-2\.0|ISC|BSD-2-Clause|BSD-3-Clause|0BSD|Unlicense|BlueOak-1\.0\.0|CC0-1\.0)(?: OR .*)?$/u;
    expect(needed.length).toBeGreaterThan(100);
    const others = needed.filter(([, { license = 'none' }]) => !allowed.test(license));
    expect(others.map(([path, { license }]) => `${path}: ${license}`)).toEqual([]);
  });

  it('can be listed with versions, as npm sbom does', () => {
    const { components } = z
      .looseObject({
        bomFormat: z.literal('CycloneDX'),
        components: z.array(z.looseObject({ name: z.string(), version: z.string() })),
      })
      .parse(npm('sbom', '--sbom-format', 'cyclonedx'));
    const names = new Set(components.map(({ name }) => name));
    const direct = needed
      .map(([path]) => path.replace(/^.*node_modules\//u, ''))
      .filter((name) => !name.startsWith('node-'));
    expect(direct.filter((name) => !names.has(name))).toEqual([]);
  });
});

describe('the scripts of the package', () => {
  const { scripts } = z
    .looseObject({
      scripts: z.looseObject({ check: z.string(), test: z.string(), 'test:e2e': z.string() }),
    })
    .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));

  it('check is the linters and the suites that are soon done', () => {
    expect(scripts.check).toMatch(/^npm run lint && vitest run /u);
    expect(suitesOf(scripts.check)).toEqual(['unit', 'contract']);
  });

  it('test is the same and more, in one run of the tests, so that its last line counts all of them', () => {
    expect(scripts.test.startsWith(scripts.check)).toBe(true);
    expect(scripts.test.match(/vitest run/gu)).toHaveLength(1);
  });

  it('run every suite that there is, each once', () => {
    const folders = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.test.ts'))
      .map((path) => dirname(path));
    expect([...suitesOf(scripts.test), ...suitesOf(scripts['test:e2e'])].toSorted()).toEqual(
      [...new Set(folders)].toSorted(),
    );
  });
});

/** The projects that a script runs the tests of. */
function suitesOf(script: string): string[] {
  return [...script.matchAll(/ --project (\w+)/gu)].map(([, suite]) => suite ?? '');
}
