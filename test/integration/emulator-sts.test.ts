import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EmulatorUnderTest } from '../support/emulator.ts';
import { presigned, signer } from '../support/presigned.ts';

let emulator: EmulatorUnderTest;
beforeAll(async () => {
  emulator = await EmulatorUnderTest.start();
});
afterAll(() => emulator.close());

describe('the emulated STS', () => {
  it('tells the real SDK who it is', async () => {
    expect(await emulator.sts().send(new GetCallerIdentityCommand())).toMatchObject({
      Account: '123456789012',
      Arn: 'arn:aws:iam::123456789012:user/fanout-bench',
      UserId: expect.stringMatching(/^AIDA/),
      $metadata: { httpStatusCode: 200, requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    });
  });

  it.each([{}, { sessionToken: 'a+session/token==' }])(
    'tells it to a presigned GET as well: %j',
    async (credentials) => {
      const answer = await fetch(await identity('GetCallerIdentity', credentials));
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/xml']);
      expect(await answer.text()).toMatch(
        /<GetCallerIdentityResponse xmlns="https:\/\/sts.amazonaws.com\/doc\/2011-06-15\/"><GetCallerIdentityResult><Arn>/,
      );
    },
  );

  it.each([
    [{ secretAccessKey: 'wrong' }, 'SignatureDoesNotMatch'],
    [{ accessKeyId: 'UNKNOWN' }, 'InvalidClientTokenId'],
  ])('refuses other credentials, in the header and in the query: %j', async (credentials, name) => {
    const refused = { name, Type: 'Sender', $metadata: { httpStatusCode: 403 } };
    const call = emulator.sts({ credentials }).send(new GetCallerIdentityCommand());
    await expect(call).rejects.toMatchObject(refused);
    const answer = await fetch(await identity('GetCallerIdentity', credentials));
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain(`<Error><Type>Sender</Type><Code>${name}</Code>`);
  });

  it('takes a session token with the signature', async () => {
    const client = emulator.sts({ credentials: { sessionToken: 'a+session/token==' } });
    expect((await client.send(new GetCallerIdentityCommand())).Account).toBe('123456789012');
  });

  it.each([
    ['?Action=GetCallerIdentity', 'GET', 403, 'MissingAuthenticationToken'],
    ['', 'POST', 403, 'MissingAuthenticationToken'],
  ])('refuses what is not signed: %s by %s', async (query, method, status, code) => {
    const answer = await fetch(`${emulator.endpoint}/${query}`, { method });
    expect(answer.status).toBe(status);
    expect(await answer.text()).toContain(`<Code>${code}</Code>`);
  });

  it('knows no other action', async () => {
    const answer = await fetch(await identity('GetSessionToken'));
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('<Code>InvalidAction</Code>');
  });

  it('notices when the body is not the one that was signed', async () => {
    const signed = await signer('sts').sign({
      method: 'POST',
      protocol: 'http:',
      hostname: new URL(emulator.endpoint).hostname,
      path: '/',
      headers: { host: new URL(emulator.endpoint).host, 'content-type': 'application/x-www-form-urlencoded' },
      body: 'Action=GetCallerIdentity&Version=2011-06-15',
    });
    const { host: _, ...headers } = signed.headers;
    const post = (body: string): Promise<Response> =>
      fetch(emulator.endpoint, { method: 'POST', headers, body });
    expect((await post('Action=GetCallerIdentity&Version=2011-06-15')).status).toBe(200);
    const changed = await post('Action=GetCallerIdentity&Version=2011-06-16');
    expect(changed.status).toBe(403);
    expect(await changed.text()).toContain('<Code>SignatureDoesNotMatch</Code>');
  });
});

function identity(action: string, credentials: object = {}): Promise<string> {
  const query = { Action: action, Version: '2011-06-15' };
  return presigned(emulator.endpoint, 'sts', { method: 'GET', path: '/', query, body: '' }, credentials);
}
