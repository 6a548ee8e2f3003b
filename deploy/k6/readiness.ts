import { fail } from 'k6';
import http from 'k6/http';
import { Gauge } from 'k6/metrics';
import { noAnswerCode } from './codes.ts';
import { authorization, settings } from './settings.ts';

/** What `setup` asks for before anything is sent. */
const paths = ['/readyz', '/workloads'] as const;

/**
 * When `setup` fails, nothing of it comes to the summary but metrics: so what it was answered is one of these, and the
 * summary can say why nothing was sent.
 */
const pathIndex = new Gauge('setup_path');
const statusOfAnswer = new Gauge('setup_status');
const errorOfK6 = new Gauge('setup_error');

/** The body of an answer that must be 200. Fails the test where it is not. */
export function needed(path: (typeof paths)[number]): string {
  const { status, error_code, body } = http.get(settings.baseUrl + path, { headers: authorization() });
  const text = typeof body === 'string' ? body : '';
  if (status === 200) return text;
  pathIndex.add(paths.indexOf(path));
  statusOfAnswer.add(status);
  errorOfK6.add(error_code);
  return fail(`${reason(path, status, error_code)}${text === '' ? '' : `: ${text}`}`);
}

/** Why `setup` failed, from what the summary has of the metrics; `null` where it did not, or by something else. */
export function whyNotReady(valueOf: (metric: string, value: string) => number | null): string | null {
  const path = paths[valueOf('setup_path', 'value') ?? -1];
  if (path === undefined) return null;
  return reason(path, valueOf('setup_status', 'value') ?? 0, valueOf('setup_error', 'value') ?? 0);
}

function reason(path: string, status: number, k6ErrorCode: number): string {
  const what =
    status === 0 ? noAnswerCode(k6ErrorCode).replaceAll('_', ' ') : `${path} was answered with ${status}`;
  return `${settings.baseUrl} is not ready: ${what}`;
}
