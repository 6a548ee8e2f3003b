import { diag, DiagConsoleLogger, DiagLogLevel, type DiagLogger } from '@opentelemetry/api';
import { diagLogLevelFromString, getStringFromEnv } from '@opentelemetry/core';
import { z } from 'zod';

/** What a collector that took a batch did not take of it. */
export interface Rejected {
  readonly spans: number;
  /** The collector's own words, which may be none. */
  readonly reason: string;
}

/**
 * OTLP's partial success: a collector's 200 may say that it rejected some of the spans. The exporters tell that to
 * nobody but OpenTelemetry's diagnostic logger, right before they report the batch as sent.
 */
export class PartialSuccesses {
  #rejected: Rejected | null = null;

  /** Becomes the process's diagnostic logger, which goes on writing to the console what `OTEL_LOG_LEVEL` asks for. */
  listen(): void {
    const level = diagLogLevelFromString(getStringFromEnv('OTEL_LOG_LEVEL')) ?? DiagLogLevel.NONE;
    const written = consoleFrom(level);
    const warn: DiagLogger['warn'] = (message, ...args) => {
      if (message === partialSuccess) this.#rejected = rejectedIn(args[0]);
      written.warn(message, ...args);
    };
    const logLevel = Math.max(level, DiagLogLevel.WARN);
    diag.setLogger({ ...written, warn }, { logLevel, suppressOverrideMessage: true });
  }

  /** What was rejected of the batch whose export is being reported; `null` when that is nothing. */
  take(): Rejected | null {
    const rejected = this.#rejected;
    this.#rejected = null;
    return rejected;
  }
}

/** As `@opentelemetry/otlp-exporter-base` words it. */
const partialSuccess = 'Received Partial Success response:';

/** JSON has a 64-bit integer as a string. */
const said = z.object({
  rejectedSpans: z.coerce.number().int().positive(),
  errorMessage: z.string().catch(''),
});

function rejectedIn(json: unknown): Rejected | null {
  const { data } = said.safeParse(JSON.parse(String(json)));
  return data === undefined ? null : { spans: data.rejectedSpans, reason: data.errorMessage };
}

function consoleFrom(level: DiagLogLevel): DiagLogger {
  const logger = new DiagConsoleLogger();
  const from = (least: DiagLogLevel, write: DiagLogger['warn']): DiagLogger['warn'] =>
    level >= least ? write : () => {};
  return {
    error: from(DiagLogLevel.ERROR, logger.error),
    warn: from(DiagLogLevel.WARN, logger.warn),
    info: from(DiagLogLevel.INFO, logger.info),
    debug: from(DiagLogLevel.DEBUG, logger.debug),
    verbose: from(DiagLogLevel.VERBOSE, logger.verbose),
  };
}
