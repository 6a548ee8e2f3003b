import type { PlainRequest } from '../aws/client.ts';
import { isTransient } from '../aws/transient.ts';
import { decoded, redactText } from '../../otel/redaction.ts';
import { bodyRecord, contentLength } from './body.ts';
import type { WorkloadEntry } from './entry.ts';
import type { PrepareInputs } from './inputs.ts';
import { checkBody, failed, ok, wrong, type HttpTask } from './task.ts';

export const http: WorkloadEntry = {
  declaration: {
    name: 'http',
    summary: 'Fetches one web page a task, reads it whole and checks it.',
    work: 'io',
    blocksThread: 'never',
    accesses: [],
    clients: ['got', 'undici'],
    service: null,
    validations: ['nonempty'],
    defaultTasks: 10,
    defaultStrategy: 'async',
    params: {},
    answersParameter: null,
    sharedSettings: [
      { setting: 'attempts', value: 'the run parameter attempts, one policy for every client' },
      {
        setting: 'sockets',
        value: 'as many as tasks run at once, kept alive within a run, with pool=warm from run to run',
      },
      { setting: 'protocol', value: 'HTTP/1.1, no decompression, no redirects' },
      { setting: 'body', value: 'read whole into one buffer, MD5 taken inside the task' },
      {
        setting: 'client',
        value: 'one a process or thread, made for the run, with pool=warm kept from run to run',
      },
    ],
    missingSetting: ({ http: { urls } }) =>
      urls === null ? 'Set HTTP_URLS to the pages to fetch, separated by commas.' : null,
    check: ({ body }) => (body === null ? wrong('there is no body') : checkBody(body)),
  },
  load: async () => ({ task, prepareInputs }),
};

export const task: HttpTask<{ readonly request: PlainRequest }> = {
  uses: 'http',
  async run({ request }, send) {
    const exchange = await send(request, 'digest');
    if (exchange.state === 'failed') return exchange;
    const { statusCode, headers, bytes, md5 } = exchange;
    if (statusCode < 200 || statusCode > 299) {
      const message = `${redactText(request.url)} answered ${statusCode}`;
      const error = { code: 'upstream_error', message, upstreamCode: String(statusCode) } as const;
      return failed(error, isTransient(statusCode, null));
    }
    const expected = { bytes: contentLength(headers), etag: headers['etag'] ?? null };
    return ok({ body: bodyRecord({ bytes, md5: md5 ?? '' }, expected) });
  },
};

/** A page's user and password go as every client sends them, in a header: not every client takes them from a URL. */
function requestFor(page: string): PlainRequest {
  const url = new URL(page);
  const { username, password } = url;
  if (username === '' && password === '') return { method: 'GET', url: page, headers: {}, body: null };
  url.username = '';
  url.password = '';
  const user = Buffer.from(`${decoded(username)}:${decoded(password)}`);
  const headers = { authorization: `Basic ${user.toString('base64')}` };
  return { method: 'GET', url: url.href, headers, body: null };
}

/** The configured pages, in their order; with more tasks than pages they are fetched again. */
const prepareInputs: PrepareInputs = async ({ tasks }, { http: { urls } }) => {
  const pages = urls ?? [];
  const inputs = Array.from({ length: tasks }, (_, index) => {
    return { request: requestFor(pages[index % pages.length] ?? '') };
  });
  const warnings =
    tasks > pages.length
      ? [{ code: 'urls_reused', message: `${tasks} tasks share ${pages.length} pages.` }]
      : [];
  return { inputs, warnings, signing: null };
};
