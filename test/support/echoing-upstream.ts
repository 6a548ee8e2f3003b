import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/**
 * `echo` refuses with words that repeat all that signed the request; `hang` takes it and never answers; `hang-tasks` does
 * so but for the listing of a bucket, which comes before any task.
 */
export type UpstreamMode = 'forward' | 'echo' | 'hang' | 'hang-tasks';

/** Stands before AWS (or its emulator), and remembers what the requests were signed with. */
export class EchoingUpstream {
  mode: UpstreamMode = 'forward';
  /** Requests that were taken and never answered. */
  hung = 0;
  /** Every signature that came, in a header or in a query. */
  readonly signatures = new Set<string>();
  /** All headers and URLs that came, as text. */
  readonly seen: string[] = [];
  readonly #server: Server;
  readonly #behind: URL;

  static async before(endpoint: string): Promise<EchoingUpstream> {
    const upstream = new EchoingUpstream(new URL(endpoint));
    upstream.#server.listen(0, '127.0.0.1');
    await once(upstream.#server, 'listening');
    return upstream;
  }

  private constructor(behind: URL) {
    this.#behind = behind;
    this.#server = createServer((incoming, outgoing) => this.#take(incoming, outgoing));
  }

  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #take(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { url = '', method, headers } = incoming;
    const told = `${method} ${url} ${JSON.stringify(headers)}`;
    this.seen.push(told);
    for (const [, signature] of told.matchAll(/Signature=([0-9a-f]{64})/gu))
      if (signature !== undefined) this.signatures.add(signature);
    if (this.mode === 'hang' || (this.mode === 'hang-tasks' && !url.includes('list-type='))) {
      this.hung += 1;
      return void incoming.resume();
    }
    if (this.mode === 'echo') return refuse(incoming, outgoing);
    const { hostname, port } = this.#behind;
    const onward = request({ hostname, port, method, path: url, headers, agent: false }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => onward.destroy());
    incoming.pipe(onward);
  }
}

/** As AWS refuses a signature: S3 and STS in XML, Bedrock in JSON. The words are more than AWS would say. */
function refuse(incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { url = '', headers } = incoming;
  const canonical = Object.entries(headers)
    .map(([name, value]) => `${name}:${String(value)}`)
    .join(' ');
  const token = String(
    headers['x-amz-security-token'] ?? new URL(url, 'http://x').searchParams.get('X-Amz-Security-Token'),
  );
  const quoted = JSON.stringify(JSON.stringify({ 'x-amz-security-token': token }));
  const words = `The signature of ${url} does not match. Canonical request: ${canonical}. With token '${token}': ${quoted}`;
  incoming.resume();
  if (url.startsWith('/model/')) {
    outgoing.writeHead(403, {
      'content-type': 'application/json',
      'x-amzn-errortype': 'InvalidSignatureException',
    });
    return void outgoing.end(JSON.stringify({ message: words }));
  }
  const code = 'SignatureDoesNotMatch';
  const message = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const error = `<Code>${code}</Code><Message>${message}</Message>`;
  outgoing.writeHead(403, { 'content-type': 'application/xml' });
  outgoing.end(
    headers.host !== undefined && url === '/'
      ? `<ErrorResponse><Error><Type>Sender</Type>${error}</Error></ErrorResponse>`
      : `<Error>${error}</Error>`,
  );
}
