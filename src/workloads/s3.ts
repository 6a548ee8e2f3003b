import type { PlainRequest } from '../aws/client.ts';
import { errorCodeOf, isTransient } from '../aws/transient.ts';
import type { S3Object, S3Reader } from '../aws/s3-object.ts';
import { semantic } from '../../otel/names.ts';
import type { BodyRecord, Labels } from '../record/record.ts';
import { bodyRecord, contentLength } from './body.ts';
import type { WorkloadEntry } from './entry.ts';
import { signingOf, type PrepareInputs } from './inputs.ts';
import { checkBody, failed, ok, wrong, type HttpTask, type SdkTask, type TaskResult } from './task.ts';

export const s3: WorkloadEntry = {
  declaration: {
    name: 's3',
    summary: 'Fetches one S3 object a task, reads it whole and checks it.',
    work: 'io',
    blocksThread: 'never',
    accesses: ['sdk', 'presigned'],
    clients: ['got', 'undici'],
    service: 's3',
    validations: ['nonempty'],
    defaultTasks: 10,
    defaultStrategy: 'presigned-async',
    params: {},
    answersParameter: null,
    sharedSettings: [
      {
        setting: 'attempts',
        value:
          'the run parameter attempts, one policy for every client, whose own retries are off (the SDK alone would try 3 times, got 3)',
      },
      {
        setting: 'sockets',
        value:
          'as many as tasks run at once, kept alive within a run, with pool=warm from run to run (the SDK alone: 50)',
      },
      { setting: 'protocol', value: 'HTTP/1.1, no decompression, no redirects' },
      { setting: 'checksums', value: 'only when required (the SDK alone asks for them and validates)' },
      { setting: 'body', value: 'read whole into one buffer, MD5 taken inside the task' },
      { setting: 'addressing', value: 'path-style with a custom endpoint, virtual-hosted on AWS' },
      {
        setting: 'client',
        value: 'one a process or thread, made for the run, with pool=warm kept from run to run',
      },
    ],
    missingSetting: (target) =>
      target.s3.bucket === null
        ? 'Set S3_BUCKET, and S3_KEYS or S3_PREFIX to choose among its objects.'
        : null,
    check: ({ body }) => (body === null ? wrong('there is no body') : checkBody(body)),
  },
  load: async () => ({ sdk, presigned, prepareInputs }),
};

interface PresignedInput {
  readonly request: PlainRequest;
  readonly object: S3Object;
}

export const presigned: HttpTask<PresignedInput> = {
  uses: 'http',
  async run({ request, object }, send) {
    const exchange = await send(request, 'digest');
    if (exchange.state === 'failed') return exchange;
    if (exchange.statusCode !== 200) {
      const upstreamCode = errorCodeOf(exchange.headers, exchange.text);
      const said = upstreamCode === null ? '' : ` ${upstreamCode}`;
      const error = {
        code: 'upstream_error',
        message: `S3 answered ${exchange.statusCode}${said} for ${object.key}`,
        upstreamCode: upstreamCode ?? String(exchange.statusCode),
      } as const;
      return failed(error, isTransient(exchange.statusCode, upstreamCode));
    }
    const { bytes, md5, headers } = exchange;
    return ok({
      body: expectedOf(object, { bytes, md5: md5 ?? '' }, contentLength(headers), headers['etag'], {
        encryption: headers['x-amz-server-side-encryption'],
        customerKey: headers['x-amz-server-side-encryption-customer-algorithm'],
      }),
    });
  },
};

export const sdk: SdkTask<{ readonly object: S3Object }> = {
  uses: 'sdk',
  async load() {
    const { openS3Reader } = await import('../aws/s3-client.ts');
    return (settings) => {
      const reader = openS3Reader(settings);
      return { run: ({ object }, signal) => readWith(reader, object, signal), close: () => reader.close() };
    };
  },
};

async function readWith(reader: S3Reader, object: S3Object, signal: AbortSignal): Promise<TaskResult> {
  const read = await reader.read(object, signal);
  if (read.state === 'failed') return read;
  return ok({ body: expectedOf(object, read, read.contentLength, read.etag, read) });
}

/** Lists the objects, and signs a URL a task where the access is `presigned`. */
const prepareInputs: PrepareInputs = async (plan, target, settings, signal) => {
  const { findObjects } = await import('../aws/s3-objects.ts');
  const { objects, warnings } = await findObjects(target, settings, plan.tasks, signal);
  const labels = objects.map(labelsOf);
  if (plan.access === 'sdk')
    return { warnings, labels, inputs: objects.map((object) => ({ object })), signing: null };
  const { openS3Signer } = await import('../aws/s3-presign.ts');
  return {
    warnings,
    labels,
    inputs: [],
    signing: signingOf(
      () => openS3Signer(settings),
      objects,
      (request, index) => ({ request, object: objects[index] }),
    ),
  };
};

function labelsOf({ bucket, key }: S3Object): Labels {
  return {
    [semantic.rpcSystem]: 'aws-api',
    [semantic.rpcMethod]: 'S3/GetObject',
    [semantic.s3Bucket]: bucket,
    [semantic.s3Key]: key,
  };
}

/**
 * What the body ought to be: the listing's word where there is one, else the answer's own headers. An ETag is the
 * MD5 only for objects uploaded in one part and not encrypted with KMS or a customer's key (S3 API, "Object").
 */
function expectedOf(
  object: S3Object,
  read: { readonly bytes: number; readonly md5: string },
  length: number | null,
  etag: string | undefined,
  sealed: { readonly encryption: string | undefined; readonly customerKey: string | undefined },
): BodyRecord {
  const keyed = sealed.encryption?.startsWith('aws:kms') === true || sealed.customerKey !== undefined;
  return bodyRecord(read, {
    bytes: object.bytes ?? length,
    etag: keyed ? null : (object.etag ?? etag ?? null),
  });
}
