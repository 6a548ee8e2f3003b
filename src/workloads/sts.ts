import type { PlainRequest } from '../aws/client.ts';
import { errorCodeOf, isTransient } from '../aws/transient.ts';
import { semantic } from '../../otel/names.ts';
import type { WorkloadEntry } from './entry.ts';
import { signingOf, type PrepareInputs } from './inputs.ts';
import { failed, ok, wrong, type HttpTask, type SdkTask } from './task.ts';

export const sts: WorkloadEntry = {
  declaration: {
    name: 'sts',
    summary: 'Asks STS once a task who is calling (GetCallerIdentity).',
    work: 'io',
    blocksThread: 'never',
    accesses: ['sdk', 'presigned'],
    clients: ['got', 'undici'],
    service: 'sts',
    validations: ['nonempty'],
    defaultTasks: 10,
    defaultStrategy: 'presigned-async',
    params: {},
    answersParameter: null,
    sharedSettings: [
      { setting: 'attempts', value: 'the run parameter attempts, one policy for every client' },
      {
        setting: 'sockets',
        value:
          'as many as tasks run at once, kept alive within a run, with pool=warm from run to run (the SDK alone: 50)',
      },
      { setting: 'protocol', value: 'HTTP/1.1, no decompression, no redirects' },
      { setting: 'signature', value: 'in the headers, good for 5 minutes' },
      {
        setting: 'client',
        value: 'one a process or thread, made for the run, with pool=warm kept from run to run',
      },
    ],
    missingSetting: () => null,
    check: ({ text }) =>
      text?.startsWith('arn:') === true ? null : wrong(`"${text ?? ''}" is no caller's ARN`),
  },
  load: async () => ({ sdk, presigned, prepareInputs }),
};

export const presigned: HttpTask<{ readonly request: PlainRequest }> = {
  uses: 'http',
  async run({ request }, send) {
    const exchange = await send(request, 'text');
    if (exchange.state === 'failed') return exchange;
    const { statusCode, headers, text } = exchange;
    if (statusCode === 200) return ok({ text: arnIn(text ?? '') });
    const code = errorCodeOf(headers, text) ?? String(statusCode);
    const message = `STS answered ${statusCode} ${code}`;
    const error = { code: 'upstream_error', message, upstreamCode: code } as const;
    return failed(error, isTransient(statusCode, code));
  },
};

/** Empty where there is none, and where the document is not whole. */
function arnIn(text: string): string {
  const whole = /<\/GetCallerIdentityResponse>\s*$/.test(text);
  return (whole ? /<Arn>([^<]*)<\/Arn>/.exec(text)?.[1] : null) ?? '';
}

export const sdk: SdkTask<unknown> = {
  uses: 'sdk',
  async load() {
    const { openIdentityCaller } = await import('../aws/sts-client.ts');
    return (settings) => {
      const caller = openIdentityCaller(settings);
      return {
        async run(_, signal) {
          const identity = await caller.ask(signal);
          return identity.state === 'failed' ? identity : ok({ text: identity.arn });
        },
        close: () => caller.close(),
      };
    };
  },
};

/** There is nothing to find out; each task has a request of its own. */
const prepareInputs: PrepareInputs = async ({ tasks, access }, _target, settings) => {
  const labels = Array.from({ length: tasks }, () => ({
    [semantic.rpcSystem]: 'aws-api',
    [semantic.rpcMethod]: 'STS/GetCallerIdentity',
  }));
  if (access === 'sdk') return { inputs: labels.map(() => ({})), labels, warnings: [], signing: null };
  const { openIdentitySigner } = await import('../aws/sts-client.ts');
  return {
    inputs: [],
    labels,
    warnings: [],
    signing: signingOf(
      () => openIdentitySigner(settings),
      labels,
      (request) => ({ request }),
    ),
  };
};
