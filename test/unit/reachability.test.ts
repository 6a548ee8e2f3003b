import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Collector } from '../../otel/collector.ts';
import { Notices } from '../../otel/notices.ts';
import { unreachable } from '../../src/aws/reachability.ts';
import { targetAt } from '../support/run-on-runner.ts';

const servers: Server[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => once(server.close(), 'close')));
});

async function listeningOn(host: string, port = 0): Promise<number> {
  const server = createServer((socket) => socket.destroy()).listen(port, host);
  servers.push(server);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return address.port;
}

/** One that nothing listens on. */
async function freePort(): Promise<number> {
  const port = await listeningOn('127.0.0.1');
  for (const server of servers.splice(0)) await once(server.close(), 'close');
  return port;
}

describe('whether the target can be reached', () => {
  it.each(['127.0.0.1', '::1'])('is known of an endpoint at %s', async (host) => {
    const port = await listeningOn(host);
    const name = host.includes(':') ? `[${host}]` : host;
    expect(await unreachable(targetAt(`http://${name}:${port}`))).toBeNull();
  });

  it('is told without the user part of its URL', async () => {
    const port = await freePort();
    const problem = await unreachable(targetAt(`http://joe:hunter2pw@127.0.0.1:${port}`));
    expect(problem).toContain(`127.0.0.1:${port}`);
    expect(problem).not.toMatch(/joe|hunter2pw/);
  });
});

describe('which endpoints the target has', () => {
  it('are all that are set, each told that can not be reached', async () => {
    const [there, gone] = [await listeningOn('127.0.0.1'), 9];
    const target = targetAt(`http://127.0.0.1:${there}`);
    const endpoints = {
      ...target.endpoints,
      bedrock: `http://127.0.0.1:${gone}`,
      sts: `http://127.0.0.2:${gone}`,
    };
    const problem = await unreachable({ ...target, endpoints });
    expect(problem?.split('; ')).toEqual([
      expect.stringContaining('http://127.0.0.1:9 '),
      expect.stringContaining('http://127.0.0.2:9 '),
    ]);
  });

  it.each([
    ['S3 alone, with a bucket', 'a-bucket', null, ['s3']],
    ['Bedrock alone, with a model', null, 'a-model', ['bedrock-runtime']],
    ['both', 'a-bucket', 'a-model', ['s3', 'bedrock-runtime']],
    ['STS, with neither', null, null, ['sts']],
  ])('of AWS: %s', async (_, bucket, modelId, hosts) => {
    const target = targetAt(null, { bucket });
    // A region that no resolver knows.
    const problem = await unreachable({
      ...target,
      name: 'aws',
      region: 'nowhere.invalid',
      bedrock: { modelId },
    });
    const asked = [...(problem ?? '').matchAll(/https:\/\/([a-z0-9-]+)\.nowhere/gu)].map(([, host]) => host);
    expect(asked).toEqual(hosts);
  });
});

describe('a collector that is not there', () => {
  it('is found when it comes, before a run sends it anything', async () => {
    const notices = new Notices();
    const said: string[] = [];
    notices.listen(({ code }) => said.push(code));
    const port = await freePort();
    const collector = new Collector(`http://127.0.0.1:${port}/v1/traces`, notices);
    expect([await collector.probe(1_000), collector.accepting]).toEqual([false, false]);
    await listeningOn('127.0.0.1', port);
    await expect.poll(() => collector.accepting, { timeout: 8_000 }).toBe(true);
    expect(said).toEqual(['collector_unreachable', 'collector_back']);
  });

  it('that listens and refuses is not trusted for listening alone', async () => {
    const collector = new Collector(
      `http://127.0.0.1:${await listeningOn('127.0.0.1')}/v1/traces`,
      new Notices(),
    );
    collector.refused('404');
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(collector.accepting).toBe(false);
  });
});
