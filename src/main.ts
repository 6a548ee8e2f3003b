import { readFileSync } from 'node:fs';
import { startTelemetry } from '../otel/sdk.ts';
import { announce, tellNotice, tellRun } from './announce.ts';
import { unreachable } from './aws/reachability.ts';
import type { TargetSettings } from './aws/target.ts';
import { Admission } from './bench/admission.ts';
import { RunArchive } from './bench/archive.ts';
import { createBench } from './bench/create-bench.ts';
import type { World } from './bench/world.ts';
import { readConfig } from './config.ts';
import { startEmulator } from './emulator/process.ts';
import { createApp } from './http/app.ts';
import { listen } from './http/listen.ts';
import { createLogger } from './logging.ts';
import { Supervisor } from './runner/supervisor.ts';
import { onSignal, orExit } from './shutdown.ts';
import { strategies } from './strategies/registry.ts';
import { workloads } from './workloads/registry.ts';

// The service: configuration, emulator, runners, core, HTTP. It never executes a workload itself.
process.title = 'fanout-bench service';
const distFolder = import.meta.dirname;
const config = await orExit(() => readConfig(process.env));
const log = createLogger(config.logLevel, process.stdout.isTTY);
const telemetry = startTelemetry();
telemetry.onNotice((notice) => tellNotice(log, notice));

const emulator =
  config.target === 'emulator'
    ? await orExit(() =>
        startEmulator({
          distFolder,
          settings: config.emulator,
          environment: config.emulatorEnvironment,
          onRestart: () => log.warn('The emulator died and is started again.'),
        }),
      )
    : null;
const target: TargetSettings = {
  name: config.target,
  region: config.region,
  s3: { ...config.s3, endpoint: emulator?.endpoint ?? config.s3.endpoint },
};

const world: World = { workloads, strategies, target, limits: config, runtimes: config.runtimes };
const supervisor = new Supervisor({ distFolder, environment: config.awsEnvironment });
const admission = new Admission(config);
const archive = new RunArchive(config.maxRunsKept);
const bench = createBench({
  world,
  supervisor,
  admission,
  archive,
  telemetry,
  reportRun: (record) => tellRun(log, record),
  checkTarget: async () => {
    const problem = await unreachable(target);
    return { name: 'target', ok: problem === null, problem };
  },
});

const app = createApp({
  world,
  bench,
  archive,
  traceUrlTemplate: config.traceUrlTemplate,
  allowedHosts: config.allowedHosts,
  benchToken: config.benchToken,
  version: String(JSON.parse(readFileSync(`${distFolder}/../package.json`, 'utf8')).version),
  reportFault: (error) => log.error({ err: error }, 'A request failed for a fault of the service.'),
});
const server = await orExit(() => listen(app, config.host, config.port));
await Promise.all([telemetry.probeCollector(), supervisor.shared('plain')]);
announce(log, config, server.url, target, telemetry.collectorUrl);

onSignal(log, [
  // In this order: nothing new, what is running ends or is ended, its spans go out.
  () => admission.close(),
  () => server.close(),
  () => supervisor.stop(),
  () => bench.settled(),
  () => telemetry.shutdown(),
  () => emulator?.stop(),
]);
