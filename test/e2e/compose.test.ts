import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fileOfModule } from '../support/real-servers-binary.ts';
import { violationsOf } from '../support/schemathesis.ts';

/** The schema of the Compose specification, as its reference implementation has it. */
const specification = () =>
  fileOfModule('github.com/compose-spec/compose-go/v2', '2.16.2', 'schema/compose-spec.json');

const folder = join(import.meta.dirname, '../../deploy');
const files = readdirSync(folder).filter((name) => name.startsWith('compose'));

describe('the compose files', () => {
  it('are there', () => expect(files).toHaveLength(3));

  it.each(files)('%s is one by the Compose specification', async (name) => {
    const text = readFileSync(join(folder, name), 'utf8');
    expect(await violationsOf(await specification(), text)).toEqual([]);
  });

  it('and would be told if they were none', async () => {
    const wrong = '{ services: { one: { image: an-image, ports: 8080, no_such_key: true } } }';
    expect(await violationsOf(await specification(), wrong)).toHaveLength(2);
  });
});
