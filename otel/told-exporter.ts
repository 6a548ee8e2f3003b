import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import { reasonOf } from '../src/reachable.ts';
import { redactText } from './redaction.ts';

/** Sends metrics or logs somewhere. */
export interface Exporter<Items> {
  export(items: Items, report: (result: ExportResult) => void): void;
}

const success: number = ExportResultCode.SUCCESS;

/**
 * The exporter, made to tell once when what it sends is no longer taken, with the reason, and once, with `null`, when it is
 * again: the SDK is silent.
 */
export function told<Items, Of extends Exporter<Items>>(
  exporter: Of & Exporter<Items>,
  say: (refusal: string | null) => void,
): Of {
  const send = exporter.export.bind(exporter);
  let accepted = true;
  exporter.export = (items, report) =>
    send(items, (result) => {
      const before = accepted;
      // As numbers: the SDK has a copy of the enum of its own.
      const code: number = result.code;
      accepted = code === success;
      if (accepted !== before) say(accepted ? null : redactText(reasonOf(result.error)));
      report(result);
    });
  return exporter;
}
