import { createHash } from 'node:crypto';
import { commonFaults } from './faults.ts';
import type { EmulatedAnswer, EmulatedService } from './service.ts';
import { proseOf } from './prose.ts';

/** Web pages, unsigned: `/pages/0` … `/pages/9`. */
export function emulatePages(): EmulatedService {
  const pages = makePages();
  return {
    signingName: null,
    faults: commonFaults,
    takes: ({ path }) => path.startsWith('/pages/'),
    identify({ method, path }) {
      if (method !== 'GET' && method !== 'HEAD') return null;
      return {
        operation: 'GetPage',
        family: 'GetPage',
        key: path,
        attributes: {},
        answer: () => pages.get(path) ?? plain(404, `There is no page at ${path}`),
      };
    },
    refuse({ status, code, message }) {
      if (code === 'SlowDown') return plain(429, 'Too many requests', { 'retry-after': '1' });
      return plain(status, message, status === 503 ? { 'retry-after': '1' } : {});
    },
  };
}

const pageCount = 10;
const pageBytes = 60_000;

/** Ten HTML documents of about 60 kB, the same on every machine. */
function makePages(): ReadonlyMap<string, EmulatedAnswer> {
  return new Map(
    Array.from({ length: pageCount }, (_, index) => {
      const path = `/pages/${index}`;
      const body = new TextEncoder().encode(pageHtml(path, index));
      const etag = `"${createHash('md5').update(body).digest('hex')}"`;
      return [path, { status: 200, headers: { 'content-type': 'text/html', etag }, body, readyMs: null }];
    }),
  );
}

function pageHtml(path: string, index: number): string {
  const sections: string[] = [];
  for (let bytes = 0; bytes < pageBytes; bytes += sections.at(-1)?.length ?? 0) {
    const number = sections.length + 1;
    const text = proseOf(`${path}#${number}`, 12);
    sections.push(`<section id="s${number}">\n<h2>Section ${number}</h2>\n<p>${text}</p>\n</section>`);
  }
  const links = Array.from({ length: pageCount }, (_, to) => `<a href="/pages/${to}">Page ${to}</a>`);
  return [
    '<!doctype html>',
    `<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Page ${index}</title>\n</head>\n<body>`,
    `<h1>Page ${index}</h1>\n<nav>${links.join(' ')}</nav>`,
    ...sections,
    '</body>\n</html>\n',
  ].join('\n');
}

function plain(status: number, text: string, headers: Readonly<Record<string, string>> = {}): EmulatedAnswer {
  const body = new TextEncoder().encode(`${text}\n`);
  return { status, headers: { 'content-type': 'text/plain', ...headers }, body, readyMs: null };
}
