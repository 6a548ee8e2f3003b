import { z } from 'zod';
import { redactText } from '../otel/redaction.ts';
import {
  flag,
  hosts,
  httpUrl,
  httpUrls,
  list,
  origins,
  traceUrlTemplate,
  wholeNumber,
} from './config-values.ts';
import {
  emulatorBucket,
  emulatorCredentials,
  emulatorModelId,
  emulatorPrefix,
  emulatorRegion,
} from './emulator/credentials.ts';
import { parseFaults } from './emulator/faults.ts';
import type { EmulatorSettings } from './emulator/settings.ts';
import type { TargetSettings } from './aws/target.ts';
import { isLoopback } from './loopback.ts';
import type { Warning } from './record/plan.ts';
import { isRuntimeName, runtimeNames, type RuntimeName } from './runner/runtimes.ts';

/** Everything the environment decides, read once. */
export interface Config {
  readonly port: number;
  readonly host: string;
  /** With TARGET=emulator the endpoints are known once the emulator listens, and with them its pages. */
  readonly target: TargetSettings;
  /** With TARGET=aws, no variable names the region: a profile may. */
  readonly regionFromProfile: boolean;
  /** The whole environment of the processes that talk to AWS. */
  readonly awsEnvironment: Readonly<Record<string, string>>;
  /** The whole environment of the emulator's process. */
  readonly emulatorEnvironment: Readonly<Record<string, string>>;
  readonly emulator: EmulatorSettings;
  readonly traceUrlTemplate: string;
  /** The default first. */
  readonly runtimes: readonly RuntimeName[];
  /** Where `npm run runtimes` puts them; `null`: into the repository. */
  readonly runtimesFolder: string | null;
  /** `null`: no token is asked for. */
  readonly benchToken: string | null;
  readonly allowedHosts: readonly string[];
  /** Of pages that may ask this service from a browser. */
  readonly corsOrigins: readonly string[];
  readonly maxTasks: number;
  readonly maxWorkers: number;
  readonly maxRunsInFlight: number;
  readonly maxRunsKept: number;
  readonly runTimeoutMs: number;
  readonly maxCalls: number;
  /** `null`: no limit. */
  readonly rateLimitPerMinute: number | null;
  readonly logLevel: string;
  /** Settings that will not do what they seem to. */
  readonly warnings: readonly Warning[];
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Every setting that is wrong, each with its variable, value and what is expected. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The configuration is not valid:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

/**
 * Reads the configuration; the only reader of the environment. An empty value counts as not set.
 * @throws ConfigError with all problems at once
 */
export function readConfig(environment: Environment): Config {
  const set = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = schema.safeParse(set);
  const problems = [
    ...(parsed.error?.issues.map((issue) => problemOf(issue, environment)) ?? []),
    ...exposureProblems(set),
  ];
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);
  const e = parsed.data;
  return {
    port: e.PORT,
    host: e.HOST,
    target: targetSettings(e),
    regionFromProfile: e.TARGET === 'aws' && (e.AWS_REGION ?? e.AWS_DEFAULT_REGION) === undefined,
    awsEnvironment:
      e.TARGET === 'emulator'
        ? emulatorAccount
        : only(set, /^AWS_|^(HOME|PATH|USERPROFILE|NODE_EXTRA_CA_CERTS)$/),
    emulatorEnvironment: only(set, /^OTEL_/),
    emulator: {
      port: e.EMULATOR_PORT,
      latencyMs: e.EMULATOR_LATENCY_MS,
      seed: e.EMULATOR_SEED,
      faults: e.EMULATOR_FAULTS,
      tracing: e.EMULATOR_TRACING,
    },
    traceUrlTemplate: e.TRACE_URL_TEMPLATE,
    runtimes: e.RUNTIMES,
    runtimesFolder: e.RUNTIMES_FOLDER ?? null,
    benchToken: e.BENCH_TOKEN ?? null,
    allowedHosts: e.ALLOWED_HOSTS,
    corsOrigins: e.CORS_ORIGINS,
    maxTasks: e.MAX_TASKS,
    maxWorkers: e.MAX_WORKERS,
    maxRunsInFlight: e.MAX_RUNS_IN_FLIGHT,
    maxRunsKept: e.MAX_RUNS_KEPT,
    runTimeoutMs: e.RUN_TIMEOUT_MS,
    maxCalls: e.MAX_CALLS,
    rateLimitPerMinute: rateLimitOf(e),
    logLevel: e.LOG_LEVEL,
    warnings: e.TARGET === 'aws' ? [] : [...endpointWarnings(set), ...bucketWarnings(e)],
  };
}

const secretVariables = new Set(['BENCH_TOKEN', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN']);

const schema = z.object({
  PORT: wholeNumber(8080, 0, 65_535),
  HOST: z.string().default('127.0.0.1'),
  TARGET: z.enum(['emulator', 'aws'], 'emulator or aws').default('emulator'),
  S3_BUCKET: z.string().optional(),
  S3_KEYS: list.refine((keys) => keys.length > 0, 'object keys, separated by commas').optional(),
  S3_PREFIX: z.string().optional(),
  AWS_REGION: z
    .string()
    .regex(/^[a-z0-9-]+$/, 'an AWS region such as eu-central-1')
    .optional(),
  AWS_DEFAULT_REGION: z.string().optional(),
  AWS_ENDPOINT_URL: httpUrl.optional(),
  AWS_ENDPOINT_URL_S3: httpUrl.optional(),
  AWS_ENDPOINT_URL_BEDROCK_RUNTIME: httpUrl.optional(),
  AWS_ENDPOINT_URL_STS: httpUrl.optional(),
  BEDROCK_MODEL_ID: z.string().optional(),
  HTTP_URLS: httpUrls.optional(),
  TRACE_URL_TEMPLATE: traceUrlTemplate.default('http://localhost:16686/trace/{traceId}'),
  RUNTIMES: list
    .refine(
      (names) => names.length > 0 && names.every((name) => isRuntimeName(name)),
      `runtimes, separated by commas: ${runtimeNames.join(', ')}`,
    )
    .transform((names) => runtimeNames.filter((name) => names.includes(name)))
    .default(['node26']),
  RUNTIMES_FOLDER: z.string().optional(),
  // What a header can carry.
  BENCH_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]{16,}$/, 'at least 16 characters of ASCII, without spaces')
    .optional(),
  ALLOW_ANONYMOUS: flag(false),
  ALLOWED_HOSTS: hosts.default([]),
  CORS_ORIGINS: origins.default([]),
  MAX_TASKS: wholeNumber(10_000, 1, 100_000),
  MAX_WORKERS: wholeNumber(64, 1, 1_000),
  MAX_RUNS_IN_FLIGHT: wholeNumber(16, 1, 1_000),
  MAX_RUNS_KEPT: wholeNumber(100, 0, 10_000),
  RUN_TIMEOUT_MS: wholeNumber(30_000, 1, 3_600_000),
  // 0: none. On loopback, where the one client is the user, there is none by default.
  RATE_LIMIT_PER_MINUTE: z
    .string()
    .regex(/^\d{1,7}$/, 'a whole number from 0 to 9999999')
    .transform(Number)
    .optional(),
  MAX_CALLS: wholeNumber(200, 1, 1_000_000),
  EMULATOR_PORT: wholeNumber(0, 0, 65_535),
  EMULATOR_LATENCY_MS: wholeNumber(30, 0, 60_000),
  EMULATOR_SEED: wholeNumber(1, 0, 2 ** 31),
  EMULATOR_FAULTS: z
    .string()
    .transform((text, context) => {
      try {
        return parseFaults(text);
      } catch (error) {
        context.addIssue({
          code: 'custom',
          message: error instanceof Error ? error.message : String(error),
        });
        return z.NEVER;
      }
    })
    .default([]),
  EMULATOR_TRACING: flag(false),
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl.optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: httpUrl.optional(),
  LOG_LEVEL: z
    .enum(
      ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
      'trace, debug, info, warn, error, fatal or silent',
    )
    .default('info'),
});

/** Anyone who can reach the service can start runs: so beyond loopback it asks for a token, or an explicit word. */
function exposureProblems({
  HOST: host,
  BENCH_TOKEN: token,
  ALLOW_ANONYMOUS: anonymous,
}: Environment): string[] {
  if (host === undefined || isLoopback(host) || token !== undefined || anonymous === 'true') return [];
  return [
    `HOST: "${host}" is not valid; expected a loopback address, or BENCH_TOKEN set, or ALLOW_ANONYMOUS=true.`,
  ];
}

type Parsed = z.infer<typeof schema>;

function problemOf(issue: z.core.$ZodIssue, environment: Environment): string {
  const variable = String(issue.path[0]);
  // A URL may hold a password.
  const value = secretVariables.has(variable)
    ? 'the value given'
    : `"${redactText(environment[variable] ?? '')}"`;
  return `${variable}: ${value} is not valid; expected ${issue.message}.`;
}

function rateLimitOf({ HOST: host, RATE_LIMIT_PER_MINUTE: given }: Parsed): number | null {
  const limit = given ?? (isLoopback(host) ? 0 : 6_000);
  return limit === 0 ? null : limit;
}

function targetSettings(e: Parsed): TargetSettings {
  const { TARGET: name, S3_KEYS: keys = null, HTTP_URLS: urls = null } = e;
  if (name === 'emulator') {
    return {
      name,
      region: emulatorRegion,
      endpoints: { s3: null, bedrock: null, sts: null },
      s3: { bucket: e.S3_BUCKET ?? emulatorBucket, keys, prefix: e.S3_PREFIX ?? emulatorPrefix },
      bedrock: { modelId: e.BEDROCK_MODEL_ID ?? emulatorModelId },
      http: { urls },
    };
  }
  const endpoint = (own: string | undefined): string | null => own ?? e.AWS_ENDPOINT_URL ?? null;
  return {
    name,
    region: e.AWS_REGION ?? e.AWS_DEFAULT_REGION ?? 'us-east-1',
    endpoints: {
      s3: endpoint(e.AWS_ENDPOINT_URL_S3),
      bedrock: endpoint(e.AWS_ENDPOINT_URL_BEDROCK_RUNTIME),
      sts: endpoint(e.AWS_ENDPOINT_URL_STS),
    },
    s3: { bucket: e.S3_BUCKET ?? null, keys, prefix: e.S3_PREFIX ?? '' },
    bedrock: { modelId: e.BEDROCK_MODEL_ID ?? null },
    http: { urls },
  };
}

/** The emulator's fixed account, and nothing that would make the SDK look for another. */
const emulatorAccount: Readonly<Record<string, string>> = {
  AWS_ACCESS_KEY_ID: emulatorCredentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: emulatorCredentials.secretAccessKey,
  AWS_REGION: emulatorRegion,
  AWS_EC2_METADATA_DISABLED: 'true',
};

function only(environment: Environment, names: RegExp): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter(
      (entry): entry is [string, string] => names.test(entry[0]) && entry[1] !== undefined,
    ),
  );
}

function bucketWarnings({ S3_BUCKET: bucket }: Parsed): Warning[] {
  if (bucket === undefined || bucket === emulatorBucket) return [];
  const message = `S3_BUCKET is ${bucket}, which the emulator does not have. Unset it, or set TARGET=aws to use it.`;
  return [{ code: 'bucket_missing', message }];
}

function endpointWarnings(environment: Environment): Warning[] {
  return Object.keys(environment)
    .filter((name) => name.startsWith('AWS_ENDPOINT_URL'))
    .map((name) => ({
      code: 'endpoint_ignored',
      message: `${name} is set but TARGET is emulator, so it is not used. Set TARGET=aws to use it.`,
    }));
}
