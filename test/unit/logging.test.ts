import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const signed = 'http://bucket.example/key?X-Amz-Signature=SECRET&X-Amz-Credential=SECRET&x-id=GetObject';

/** What a process prints that logs a signed URL: as a field, in its words, and in an error. */
async function printed(terminal: boolean): Promise<string> {
  const script = `
    import { createLogger } from ${JSON.stringify(join(import.meta.dirname, '../../src/logging.ts'))};
    const log = createLogger('info', ${terminal});
    log.info({ at: '${signed}' }, 'asked ${signed}');
    log.error({ err: new Error('refused ${signed}') }, 'The service failed.');
    log.debug('too much');`;
  const parameters = ['--input-type=module', '--eval', script];
  const { stdout } = await promisify(execFile)(process.execPath, parameters);
  return stripVTControlCharacters(stdout);
}

describe('the log', () => {
  it('is a JSON document a line elsewhere than on a terminal, with times, and without what signs', async () => {
    const text = await printed(false);
    const lines = text.trimEnd().split('\n');
    const line = z.looseObject({ level: z.int(), time: z.iso.datetime(), msg: z.string() });
    expect(lines.map((one) => line.parse(JSON.parse(one)).level)).toEqual([30, 50]);
    expect(text.match(/X-Amz-Signature=REDACTED/gu)?.length).toBeGreaterThanOrEqual(3);
    expect(text).not.toContain('SECRET');
  });

  it('is for people on a terminal, and as discreet', async () => {
    const text = await printed(true);
    expect(text).toMatch(/^\[\d\d:\d\d:\d\d\] INFO: asked http/u);
    expect(text).toContain('X-Amz-Signature=REDACTED');
    expect(text).not.toContain('SECRET');
  });
});
