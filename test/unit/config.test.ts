import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig, type Environment } from '../../src/config.ts';
import { emulatorCredentials } from '../../src/emulator/credentials.ts';

describe('the configuration', () => {
  it('has the documented defaults when nothing is set', () => {
    expect(readConfig({})).toMatchObject({
      port: 8080,
      host: '127.0.0.1',
      regionFromProfile: false,
      target: {
        name: 'emulator',
        endpoints: { s3: null, bedrock: null, sts: null },
        s3: { bucket: 'fanout-bench', keys: null, prefix: 'photos/' },
      },
      traceUrlTemplate: 'http://localhost:16686/trace/{traceId}',
      runtimes: ['node26'],
      runtimesFolder: null,
      benchToken: null,
      allowedHosts: [],
      corsOrigins: [],
      maxTasks: 10_000,
      maxWorkers: 64,
      maxRunsInFlight: 16,
      maxRunsKept: 100,
      runTimeoutMs: 30_000,
      maxCalls: 200,
      rateLimitPerMinute: null,
      emulator: { port: 0, latencyMs: 30, seed: 1, faults: [], tracing: false },
      logLevel: 'info',
      warnings: [],
    });
  });

  it('takes an empty value for one that is not set', () => {
    expect(readConfig({ PORT: '', S3_KEYS: '', BENCH_TOKEN: '' })).toEqual(readConfig({}));
  });

  it('tells every wrong setting at once, with variable, value and expectation', () => {
    const problems = problemsOf({ PORT: '80a', TARGET: 'gcp', MAX_TASKS: '0', EMULATOR_TRACING: 'yes' });
    expect(problems).toHaveLength(4);
    expect(problems.find((problem) => problem.startsWith('PORT'))).toBe(
      'PORT: "80a" is not valid; expected a whole number from 0 to 65535.',
    );
    expect(problems.find((problem) => problem.startsWith('TARGET'))).toContain('emulator or aws');
    expect(problems.find((problem) => problem.startsWith('MAX_TASKS'))).toContain('from 1 to');
    expect(problems.find((problem) => problem.startsWith('EMULATOR_TRACING'))).toContain('true or false');
  });

  it.each([
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['RUN_TIMEOUT_MS', '1e3'],
    ['S3_KEYS', ' , '],
    ['AWS_ENDPOINT_URL', 'localhost'],
    ['AWS_ENDPOINT_URL_S3', 'ftp://localhost'],
    ['TRACE_URL_TEMPLATE', 'http://localhost/trace'],
    ['TRACE_URL_TEMPLATE', 'javascript:{traceId}'],
    ['TRACE_URL_TEMPLATE', 'localhost/{traceId}'],
    ['ALLOWED_HOSTS', 'http://bench.example'],
    ['ALLOWED_HOSTS', '*.example'],
    ['ALLOWED_HOSTS', 'bench.example/path'],
    ['RUNTIMES', 'node26,node12'],
    ['EMULATOR_FAULTS', 'explode@photos/1.jpg'],
    ['LOG_LEVEL', 'loud'],
    ['CORS_ORIGINS', '*'],
    ['CORS_ORIGINS', 'http://localhost:3000,http://localhost:4000/'],
    ['CORS_ORIGINS', 'localhost:3000'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector'],
    ['BENCH_TOKEN', 'short'],
    ['BENCH_TOKEN', 'with a space in it'],
    ['BENCH_TOKEN', 'ends-with-a-newline\n'],
    ['BENCH_TOKEN', 'nicht-nur-ASCII-größer'],
  ])('refuses %s=%s', (variable, value) => {
    expect(problemsOf({ [variable]: value })).toEqual([expect.stringMatching(new RegExp(`^${variable}: `))]);
  });

  it('takes hosts with and without a port', () => {
    const given = 'service, bench.example:8080,[fd00::1],my_service,10.0.0.1';
    expect(readConfig({ ALLOWED_HOSTS: given }).allowedHosts).toEqual(given.split(/, ?/));
  });

  it('takes origins as browsers write them', () => {
    expect(readConfig({ CORS_ORIGINS: 'http://localhost:3000, https://pages.example' }).corsOrigins).toEqual([
      'http://localhost:3000',
      'https://pages.example',
    ]);
  });

  it('takes runtimes in any order; the newest is the default', () => {
    expect(readConfig({ RUNTIMES: 'node22, node26,node24,node22' }).runtimes).toEqual([
      'node26',
      'node24',
      'node22',
    ]);
    expect(readConfig({ RUNTIMES: 'node22,node24' }).runtimes).toEqual(['node24', 'node22']);
    expect(problemsOf({ RUNTIMES: 'node26,bun' })).toEqual([
      'RUNTIMES: "node26,bun" is not valid; expected runtimes, separated by commas: node26, node24, node22.',
    ]);
  });

  it('never repeats a secret in a problem', () => {
    expect(problemsOf({ BENCH_TOKEN: 'hush' }).join()).not.toContain('hush');
    for (const variable of ['AWS_ENDPOINT_URL', 'OTEL_EXPORTER_OTLP_ENDPOINT', 'TRACE_URL_TEMPLATE']) {
      const [problem] = problemsOf({ [variable]: 'ftp://user:hush@host/x' });
      expect(problem).toContain('ftp://REDACTED@host/x');
    }
  });

  it('gives the emulator its own fixed account and nothing of the user', () => {
    const { awsEnvironment } = readConfig({
      AWS_ACCESS_KEY_ID: 'USERSKEY',
      AWS_SECRET_ACCESS_KEY: 'users-secret',
      AWS_PROFILE: 'work',
      HOME: '/home/user',
    });
    expect(awsEnvironment).toMatchObject({ AWS_ACCESS_KEY_ID: emulatorCredentials.accessKeyId });
    expect(JSON.stringify(awsEnvironment)).not.toMatch(/USERSKEY|users-secret|work|home/);
  });

  it('gives AWS what the SDK reads, and nothing else of the environment', () => {
    const { awsEnvironment, target } = readConfig({
      TARGET: 'aws',
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'KEY',
      AWS_ENDPOINT_URL: 'https://all.example',
      AWS_ENDPOINT_URL_S3: 'https://s3.example',
      HOME: '/home/user',
      DATABASE_PASSWORD: 'other',
    });
    expect(target).toEqual({
      name: 'aws',
      region: 'eu-central-1',
      endpoints: {
        s3: 'https://s3.example',
        bedrock: 'https://all.example',
        sts: 'https://all.example',
      },
      s3: { bucket: null, keys: null, prefix: '' },
      bedrock: { modelId: null },
      http: { urls: null },
    });
    expect(Object.keys(awsEnvironment).toSorted()).toEqual([
      'AWS_ACCESS_KEY_ID',
      'AWS_ENDPOINT_URL',
      'AWS_ENDPOINT_URL_S3',
      'AWS_REGION',
      'HOME',
    ]);
  });

  it('warns of an endpoint that is not used', () => {
    const { warnings } = readConfig({ AWS_ENDPOINT_URL_S3: 'http://localhost:7070' });
    expect(warnings).toEqual([{ code: 'endpoint_ignored', message: expect.stringContaining('TARGET=aws') }]);
  });

  it('does not start for the network without a token or an explicit word', () => {
    expect(problemsOf({ HOST: '0.0.0.0' })[0]).toContain('BENCH_TOKEN');
    expect(problemsOf({ HOST: '0.0.0.0', PORT: 'x' })).toHaveLength(2);
    expect(readConfig({ HOST: '0.0.0.0', ALLOW_ANONYMOUS: 'true' }).host).toBe('0.0.0.0');
    expect(readConfig({ HOST: '::', BENCH_TOKEN: 'a-long-enough-token' }).benchToken).toBe(
      'a-long-enough-token',
    );
    for (const host of ['::1', '127.0.0.2', 'LOCALHOST']) expect(readConfig({ HOST: host }).host).toBe(host);
  });

  it('limits how often a client may ask, beyond loopback unless told otherwise', () => {
    expect(limitOf({ HOST: '0.0.0.0' })).toBe(6_000);
    expect(limitOf({ HOST: '0.0.0.0', RATE_LIMIT_PER_MINUTE: '0' })).toBeNull();
    expect(limitOf({ RATE_LIMIT_PER_MINUTE: '10' })).toBe(10);
    expect(problemsOf({ RATE_LIMIT_PER_MINUTE: '-1' })[0]).toContain('a whole number from 0');
  });
});

function limitOf(environment: Environment): number | null {
  return readConfig({ ALLOW_ANONYMOUS: 'true', ...environment }).rateLimitPerMinute;
}

function problemsOf(environment: Environment): readonly string[] {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}
