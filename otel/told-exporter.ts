import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import { reasonOf } from '../src/reachable.ts';
import type { Notices } from './notices.ts';
import { redactText } from './redaction.ts';

/** Sends metrics or logs somewhere. */
export interface Exporter<Items> {
  export(items: Items, report: (result: ExportResult) => void): void;
}

const success: number = ExportResultCode.SUCCESS;

/** What an exporter sends, where to, and what has it all the same when nobody takes it there. */
export interface Sending {
  readonly what: 'metrics' | 'logs';
  readonly url: string;
  readonly elsewhere: string;
}

/**
 * The exporter, made to say once when what it sends is no longer taken, with the reason, and once when it is again: the SDK
 * is silent.
 */
export function told<Items, Of extends Exporter<Items>>(
  exporter: Of & Exporter<Items>,
  { what, url, elsewhere }: Sending,
  notices: Notices,
): Of {
  const send = exporter.export.bind(exporter);
  let accepted = true;
  exporter.export = (items, report) =>
    send(items, (result) => {
      const before = accepted;
      // As numbers: the SDK has a copy of the enum of its own.
      const code: number = result.code;
      accepted = code === success;
      if (accepted !== before) say(result.error);
      report(result);
    });
  const say = (error: Error | undefined): void => {
    if (accepted) {
      notices.say({ level: 'info', code: `${what}_accepted`, message: `${url} accepts ${what} again.` });
      return;
    }
    const message = `${url} does not accept ${what} (${redactText(reasonOf(error))}). ${elsewhere} all the same.`;
    notices.say({ level: 'warn', code: `${what}_refused`, message });
  };
  return exporter;
}
