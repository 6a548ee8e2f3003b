import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { emulatorBucket, emulatorCredentials, emulatorRegion } from '../../src/emulator/credentials.ts';
import { startEmulator, type EmulatorOptions, type RunningEmulator } from '../../src/emulator/process.ts';
import { OtlpReceiver } from '../support/otlp-receiver.ts';

const distFolder = join(import.meta.dirname, '../../dist');
const settings = { port: 0, latencyMs: 0, seed: 1, faults: [], tracing: false };
const ending: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end();
});

async function emulator(changes: Partial<EmulatorOptions> = {}): Promise<RunningEmulator> {
  const options = { distFolder, settings, environment: {}, onRestart: () => undefined, ...changes };
  const running = await startEmulator(options);
  ending.push(() => running.stop());
  return running;
}

describe('the emulator as a process', () => {
  it('serves the real SDK, and ends when it is told to', async () => {
    const running = await emulator();
    expect(running.pid).not.toBe(process.pid);
    expect((await fetch(await presigned(running.endpoint))).status).toBe(200);
    await running.stop();
    expect(alive(running.pid)).toBe(false);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'is not ended by a %s that reaches all processes, so that runs in flight can finish',
    async (signal) => {
      const onRestart = vi.fn<() => void>();
      const running = await emulator({ onRestart });
      const { pid, endpoint } = running;
      process.kill(pid, signal);
      expect((await fetch(await presigned(endpoint))).status).toBe(200);
      expect([running.pid, alive(pid), onRestart.mock.calls]).toEqual([pid, true, []]);
    },
  );

  it('is there again, at the same address, after it was killed', async () => {
    const onRestart = vi.fn<() => void>();
    const running = await emulator({ onRestart });
    const { pid, endpoint } = running;
    process.kill(pid, 'SIGKILL');
    await vi.waitFor(() => expect(running.pid).not.toBe(pid), { timeout: 20_000 });
    expect(onRestart).toHaveBeenCalledOnce();
    expect((await fetch(await presigned(endpoint))).status).toBe(200);
  });

  it('says which port it could not have', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    ending.push(async () => taken.close());
    await once(taken, 'listening');
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await expect(emulator({ settings: { ...settings, port } })).rejects.toThrow(
      `could not listen on port ${port}`,
    );
  });

  it.each(['at once', 'once it listens'])('ends when its parent is gone: %s', async (when) => {
    const child = fork(join(distFolder, 'emulator.js'), [JSON.stringify(settings)], { execArgv: [] });
    const exited = once(child, 'exit');
    if (when === 'once it listens') await once(child, 'message');
    child.disconnect();
    expect(await exited).toEqual([0, null]);
  });
});

describe('an emulator that traces', () => {
  it('continues the trace with one server span a request, under its own name and without the signature', async () => {
    const receiver = await OtlpReceiver.listen();
    ending.push(() => receiver.close());
    const running = await emulator({
      settings: { ...settings, tracing: true },
      // Its name is its own, whatever the service is called.
      environment: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_SERVICE_NAME: 'my-service' },
    });
    const url = await presigned(running.endpoint);
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const answer = await fetch(url, { headers: { traceparent } });
    await answer.arrayBuffer();
    // Stopping sends what is waiting.
    await running.stop();
    expect(receiver.spans).toHaveLength(1);
    expect(receiver.named('GetObject')).toMatchObject({
      traceId: '0af7651916cd43dd8448eb211c80319c',
      parentSpanId: 'b7ad6b7169203331',
      kind: 'SERVER',
      resource: { 'service.name': 'fanout-emulator' },
      attributes: {
        'http.request.method': 'GET',
        'http.response.status_code': 200,
        'rpc.method': 'S3/GetObject',
        'aws.s3.bucket': emulatorBucket,
        'aws.s3.key': 'photos/1.jpg',
      },
    });
    const told = JSON.stringify(receiver.spans, (_key, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    );
    const { searchParams } = new URL(url);
    for (const name of ['X-Amz-Signature', 'X-Amz-Credential']) {
      expect(told).not.toContain(searchParams.get(name));
    }
    expect(told).not.toContain(emulatorCredentials.accessKeyId);
  });
});

async function presigned(endpoint: string): Promise<string> {
  const client = new S3Client({
    endpoint,
    region: emulatorRegion,
    credentials: emulatorCredentials,
    forcePathStyle: true,
  });
  return getSignedUrl(client, new GetObjectCommand({ Bucket: emulatorBucket, Key: 'photos/1.jpg' }));
}

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
