import { existsSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { readConfig, type Config } from '../../src/config.ts';

/**
 * What the compose files say, held against what it names: no container engine runs here, so a path, a host or a variable that
 * is misspelt would be seen by the first user only.
 */
const root = join(import.meta.dirname, '../..');
const deploy = join(root, 'deploy');
const read = (path: string): string => readFileSync(join(deploy, path), 'utf8');

const serviceSchema = z.looseObject({
  image: z.string().optional(),
  command: z.array(z.string()).default([]),
  environment: z.record(z.string(), z.string()).default({}),
  volumes: z.array(z.string()).default([]),
  ports: z.array(z.string()).default([]),
  profiles: z.array(z.string()).default([]),
  depends_on: z.union([z.array(z.string()), z.record(z.string(), z.unknown())]).default([]),
});
type Service = z.infer<typeof serviceSchema>;
const composeSchema = z.looseObject({
  services: z.record(z.string(), serviceSchema),
  volumes: z.record(z.string(), z.unknown()).default({}),
});

/** Variables as Compose fills them in, in values: `${NAME}`, `${NAME:-default}`, `${NAME:?message}`, `$$`. */
function interpolated(value: unknown, variables: Readonly<Record<string, string>>): unknown {
  if (Array.isArray(value)) return value.map((item) => interpolated(item, variables));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, interpolated(item, variables)]),
    );
  }
  if (typeof value !== 'string') return value;
  return value.replaceAll(
    /\$(?:\$|\{(\w+)(?::([-?])([^}]*))?\})/gu,
    (whole: string, name?: string, kind?: string, rest?: string) => {
      if (whole === '$$' || name === undefined) return '$';
      const found = variables[name];
      if (found) return found;
      if (kind === '?') throw new Error(`${name}: ${rest ?? ''}`);
      return rest ?? '';
    },
  );
}

function composed(
  file: string,
  variables: Readonly<Record<string, string>> = {},
): z.infer<typeof composeSchema> {
  const { services, ...others } = z
    .looseObject({ services: z.record(z.string(), z.unknown()) })
    .parse(parse(read(file)));
  return composeSchema.parse({
    ...others,
    services: interpolated(services, { HOME: '/home/me', ...variables }),
  });
}

function service(file: string, name: string, variables: Readonly<Record<string, string>> = {}): Service {
  const found = composed(file, variables).services[name];
  if (found === undefined) throw new Error(`${file} has no service ${name}`);
  return found;
}

/** The environment of the service in its image, with what a compose file adds. */
function environmentOf(...added: readonly Service[]): Record<string, string> {
  const line = /^ENV (.+)$/mu.exec(readFileSync(join(root, 'Dockerfile'), 'utf8'))?.[1] ?? '';
  const ofImage = Object.fromEntries(line.split(' ').map((pair) => pair.split('=', 2)));
  return Object.assign(ofImage, ...added.map(({ environment }) => environment));
}

/** The file of this repository that a container finds at a path; `null`: in no mount. */
function behind({ volumes }: Service, path: string): string | null {
  for (const volume of volumes) {
    const [source = '', target = ''] = volume.split(':');
    const rest = posix.relative(target, path);
    if (source.startsWith('./') && !rest.startsWith('..')) return join(deploy, source, rest);
  }
  return null;
}

const files = ['compose.yaml', 'compose.grafana.yaml'];
const everyService = files.flatMap((file) =>
  Object.entries(composed(file).services).map(([name, one]) => [file, name, one] as const),
);

const urlVariables = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_LOGS_ENDPOINT', 'BASE_URL'];

describe.each(files)('%s', (file) => {
  const { services, volumes } = composed(file);
  const settings = environmentOf(service(file, 'service'));

  it('gives the service a configuration that it starts with, and no variable that is not documented', () => {
    const config = readConfig(settings);
    expect([config.host, config.benchToken, config.rateLimitPerMinute]).toEqual(['0.0.0.0', null, null]);
    expect(config.maxRunsKept).toBe(1_000);
    const documented = readFileSync(join(root, 'docs/configuration.md'), 'utf8');
    for (const variable of Object.keys(service(file, 'service').environment)) {
      expect(variable.startsWith('OTEL_') || documented.includes(`\`${variable}\``)).toBe(true);
    }
  });

  it('publishes ports on loopback alone', () => {
    const ports = Object.values(services).flatMap((one) => one.ports);
    expect(ports.length).toBeGreaterThan(1);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:(\d+):\1$/u);
  });

  it('pins every image', () => {
    const images = Object.values(services).flatMap(({ image }) => image ?? []);
    expect(images).toHaveLength(Object.keys(services).length - 1);
    for (const image of images) expect(image).toMatch(/:v?\d+\.\d+\.\d+$/u);
  });

  it('names services, volumes and hosts that it has, as the service allows them', () => {
    const names = Object.keys(services);
    for (const one of Object.values(services)) {
      const awaited = Array.isArray(one.depends_on) ? one.depends_on : Object.keys(one.depends_on);
      expect(names).toEqual(expect.arrayContaining(awaited));
      const named = one.volumes
        .map((volume) => volume.split(':')[0] ?? '')
        .filter((source) => /^\w/u.test(source));
      expect(Object.keys(volumes)).toEqual(expect.arrayContaining(named));
      const hosts = urlVariables.flatMap(
        (variable) => URL.parse(one.environment[variable] ?? '')?.hostname ?? [],
      );
      expect(names).toEqual(expect.arrayContaining(hosts));
    }
    const { hostname, port } = new URL(services['k6']?.environment['BASE_URL'] ?? '');
    expect(readConfig(settings).allowedHosts).toContain(hostname);
    expect(port).toBe(String(readConfig(settings).port));
  });

  it('leads from k6 to the traces where the service leads', () => {
    const settingsOfK6 = readFileSync(join(deploy, 'k6/settings.ts'), 'utf8');
    const fallback = /'TRACE_URL_TEMPLATE', '([^']+)'/u.exec(settingsOfK6)?.[1];
    const { traceUrlTemplate } = readConfig(settings);
    expect(services['k6']?.environment['TRACE_URL_TEMPLATE'] ?? fallback).toBe(traceUrlTemplate);
    const { hostname, port } = new URL(traceUrlTemplate);
    const published = Object.values(services).flatMap((one) => one.ports);
    expect([hostname, published]).toEqual([
      'localhost',
      expect.arrayContaining([`127.0.0.1:${port}:${port}`]),
    ]);
  });
});

it.each(everyService)('%s, %s: mounts and names files that there are', (_file, _name, one) => {
  const sources = one.volumes
    .map((volume) => volume.split(':')[0] ?? '')
    .filter((path) => path.startsWith('./'));
  for (const source of sources) expect([source, existsSync(join(deploy, source))]).toEqual([source, true]);
  const ownPaths = [...one.command, ...Object.values(one.environment)]
    .flatMap((text) => /(?:^|=)(\/(?:etc|scripts)\/\S+)$/u.exec(text)?.[1] ?? [])
    .map((path) => [path, existsSync(behind(one, path) ?? '/nowhere')]);
  expect(ownPaths).toEqual(ownPaths.map(([path]) => [path, true]));
});

describe('the Dockerfile', () => {
  const images = [...readFileSync(join(root, 'Dockerfile'), 'utf8').matchAll(/^FROM (\S+)/gmu)].map(
    ([, image]) => image,
  );

  it('pins every image, to the Node that is installed without a container', () => {
    const { optionalDependencies } = z
      .looseObject({ optionalDependencies: z.record(z.string(), z.string()) })
      .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
    const versions = new Set(Object.values(optionalDependencies));
    expect(versions.size).toBe(1);
    expect(images).toEqual(Array(3).fill(`node:${[...versions].join()}-bookworm-slim`));
  });
});

describe('compose.grafana.yaml and the files that it mounts', () => {
  const file = 'compose.grafana.yaml';
  const { services } = composed(file);

  it('link a trace to Explore with a valid description of what to show', () => {
    const { traceUrlTemplate } = readConfig(environmentOf(service(file, 'service')));
    const url = new URL(traceUrlTemplate.replaceAll('{traceId}', 'abc123'));
    const panes: unknown = JSON.parse(url.searchParams.get('panes') ?? '');
    expect(panes).toMatchObject({
      t: { datasource: 'tempo', queries: [{ queryType: 'traceql', query: 'abc123' }] },
    });
  });

  it('let whoever follows that link into Explore, which Grafana grants to Editors and up', () => {
    expect(new URL(environmentOf(service(file, 'service'))['TRACE_URL_TEMPLATE'] ?? '').pathname).toBe(
      '/explore',
    );
    const { environment } = service(file, 'grafana');
    expect(environment['GF_AUTH_ANONYMOUS_ENABLED']).toBe('true');
    expect(['Editor', 'Admin']).toContain(environment['GF_AUTH_ANONYMOUS_ORG_ROLE']);
  });

  it('have data sources that are there, at the ports where their servers listen', () => {
    const { datasources } = z
      .object({ datasources: z.array(z.looseObject({ uid: z.string(), url: z.url() })) })
      .parse(parse(read('grafana/provisioning/datasources/datasources.yaml')));
    expect(datasources.map(({ uid }) => uid).toSorted()).toEqual(['loki', 'prometheus', 'tempo']);
    const ports = new Map([
      [
        'tempo',
        z
          .looseObject({ server: z.looseObject({ http_listen_port: z.int() }) })
          .parse(parse(read('tempo/config.yaml'))).server.http_listen_port,
      ],
      ['loki', Number(/http_listen_port: \$\{LOKI_HTTP_PORT:-(\d+)\}/u.exec(read('loki/config.yaml'))?.[1])],
      // Prometheus's own default.
      ['prometheus', 9090],
    ]);
    for (const { url, uid } of datasources) {
      const { hostname, port } = new URL(url);
      expect([hostname, Number(port)]).toEqual([uid, ports.get(uid)]);
      expect(Object.keys(services)).toContain(hostname);
    }
    const { providers } = z
      .object({ providers: z.array(z.looseObject({ options: z.object({ path: z.string() }) })) })
      .parse(parse(read('grafana/provisioning/dashboards/dashboards.yaml')));
    const dashboards = providers.map(({ options }) => behind(service(file, 'grafana'), options.path));
    expect(dashboards).toEqual([join(deploy, 'grafana/dashboards')]);
  });

  it('send traces and logs where Tempo and Loki take them', () => {
    const { environment } = service(file, 'service');
    const tempo = z
      .looseObject({
        distributor: z.object({
          receivers: z.object({
            otlp: z.object({ protocols: z.object({ http: z.object({ endpoint: z.string() }) }) }),
          }),
        }),
      })
      .parse(parse(read('tempo/config.yaml'))).distributor.receivers.otlp.protocols.http.endpoint;
    expect(tempo).toBe(`0.0.0.0:${new URL(environment['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? '').port}`);
    expect(environment['OTEL_LOGS_EXPORTER']).toBe('otlp');
    expect(environment['OTEL_EXPORTER_OTLP_LOGS_ENDPOINT']).toBe('http://loki:3100/otlp/v1/logs');
  });

  it('scrape the service under a name that it serves', () => {
    const { scrape_configs: jobs } = z
      .looseObject({
        scrape_configs: z.array(
          z.looseObject({ static_configs: z.array(z.object({ targets: z.array(z.string()) })) }),
        ),
      })
      .parse(parse(read('prometheus/prometheus.yaml')));
    const targets = jobs.flatMap((job) => job.static_configs.flatMap((one) => one.targets));
    const { allowedHosts, port } = readConfig(environmentOf(service(file, 'service')));
    expect(targets).toEqual(allowedHosts.map((host) => `${host}:${port}`));
  });
});

it('deploy/README.md says which Prometheus is composed, since another one is tested', () => {
  const version = /:v(.+)$/u.exec(service('compose.grafana.yaml', 'prometheus').image ?? '')?.[1] ?? '';
  expect(read('README.md')).toContain(`Prometheus is 2.42; ${version}, which is composed, was not run.`);
});

/** The configuration with compose.aws.yaml on top. */
function aws(variables: Readonly<Record<string, string>>): Config {
  const [below, above] = ['compose.yaml', 'compose.aws.yaml'].map((file) =>
    service(file, 'service', variables),
  );
  if (below === undefined || above === undefined) throw new Error('There are two files.');
  return readConfig(environmentOf(below, above));
}

describe('compose.aws.yaml', () => {
  it('asks for a region, and passes on what is set', () => {
    expect(() => aws({})).toThrow('AWS_REGION: set AWS_REGION');
    const config = aws({
      AWS_REGION: 'eu-central-1',
      AWS_PROFILE: 'work',
      S3_BUCKET: 'mine',
      S3_KEYS: 'a,b',
      BEDROCK_MODEL_ID: 'a-model',
      HTTP_URLS: 'https://one.example',
      MAX_CALLS: '17',
      BENCH_TOKEN: 'a-long-enough-token',
    });
    expect(config).toMatchObject({ maxCalls: 17, benchToken: 'a-long-enough-token' });
    expect(config.awsEnvironment).toMatchObject({ AWS_PROFILE: 'work', AWS_REGION: 'eu-central-1' });
    expect(config.target).toMatchObject({
      name: 'aws',
      region: 'eu-central-1',
      s3: { bucket: 'mine', keys: ['a', 'b'] },
      bedrock: { modelId: 'a-model' },
      http: { urls: ['https://one.example'] },
    });
    expect(service('compose.yaml', 'k6', { BENCH_TOKEN: 'a-long-enough-token' }).environment).toMatchObject({
      BENCH_TOKEN: 'a-long-enough-token',
    });
  });

  it('has the defaults where nothing else is set', () => {
    expect(aws({ AWS_REGION: 'eu-central-1' })).toMatchObject({ maxCalls: 200, benchToken: null });
  });
});

describe('the commands for a container engine', () => {
  const told = [
    'README.md',
    'deploy/README.md',
    'deploy/k6/README.md',
    ...['', '.grafana', '.aws'].map((kind) => `deploy/compose${kind}.yaml`),
  ]
    .flatMap((path) => readFileSync(join(root, path), 'utf8').split('\n'))
    .map((line) => /^(?:# {3}| {4}).*?(docker compose .+)$/u.exec(line)?.[1])
    .filter((command) => command !== undefined);

  it('are there', () => expect(told).toHaveLength(11));

  it.each(files)('%s begins with the one for its load', (file) =>
    expect(read(file).split('\nname:')[0]).toContain(
      `#   docker compose -f deploy/${file} --profile load run --rm k6`,
    ),
  );

  it.each(told)('%s', (command) => {
    const words = command.split(' ').slice(2);
    const used = words.flatMap((word, index) => (words[index - 1] === '-f' ? [word] : []));
    expect(used.length).toBeGreaterThan(0);
    for (const path of used) expect([path, existsSync(join(root, path))]).toEqual([path, true]);
    expect(words.some((word) => ['up', 'run', 'down'].includes(word))).toBe(true);
  });

  it.each(told.filter((command) => command.includes(' run ')))(
    '%s: is for k6, with settings and a script of it',
    (command) => {
      const words = command.split(' ');
      const file = words[words.indexOf('-f') + 1]?.replace('deploy/', '') ?? '';
      const k6 = service(file, 'k6');
      expect(k6.profiles).toEqual([words[words.indexOf('--profile') + 1]]);
      const settingsOfK6 = read('k6/settings.ts') + read('k6/load.ts');
      const variables = words.flatMap((word, index) =>
        words[index - 1] === '-e' ? [word.split('=')[0]] : [],
      );
      for (const variable of variables) expect(settingsOfK6).toContain(`'${variable}'`);
      const [, ...run] = words.slice(words.lastIndexOf('k6'));
      const script = (run.length === 0 ? k6.command : run)[1] ?? '';
      expect([script, existsSync(behind(k6, script) ?? '')]).toEqual([script, true]);
    },
  );
});
