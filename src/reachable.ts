import { connect } from 'node:net';

/**
 * Why no TCP connection to a URL's host and port can be made within `timeoutMs`, in words; `null` when one can. Names
 * nothing of the URL beside host and port. Never rejects.
 */
export function connectionProblem(url: URL, timeoutMs: number): Promise<string | null> {
  const port = Number(url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : url.port);
  return new Promise((resolve) => {
    // An IPv6 address stands in brackets in a URL only.
    const host = url.hostname.replace(/^\[|\]$/gu, '');
    const socket = connect({ host, port, timeout: timeoutMs });
    const end = (reason: string | null): void => {
      socket.destroy();
      resolve(reason);
    };
    socket.once('connect', () => end(null));
    socket.once('timeout', () => end(`no answer within ${timeoutMs} ms`));
    socket.once('error', (error) => end(reasonOf(error)));
  });
}

/** Words for an error. Of an address that was tried twice (IPv6, IPv4) Node has only the code. */
export function reasonOf(error: Error | undefined): string {
  if (error === undefined) return 'unknown reason';
  if (error.message !== '') return error.message;
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
