import { startTelemetry } from '../otel/sdk.ts';
import { announce, tellFault, tellNotice, tellRun } from './announce.ts';
import { unreachable } from './aws/reachability.ts';
import { Admission } from './bench/admission.ts';
import { RunArchive } from './bench/archive.ts';
import { Calibrations } from './bench/calibrations.ts';
import { createBench } from './bench/create-bench.ts';
import type { World } from './bench/world.ts';
import { readConfig } from './config.ts';
import { findRuntimes } from './find-runtimes.ts';
import { createApp } from './http/app.ts';
import { listen } from './http/listen.ts';
import { createLogger } from './logging.ts';
import { Supervisor } from './runner/supervisor.ts';
import { readPackage } from './package.ts';
import { surroundingsOf } from './surroundings.ts';
import { onSignal, orExit } from './shutdown.ts';
import { startTarget } from './start-target.ts';
import { strategies } from './strategies/registry.ts';
import { workloads } from './workloads/registry.ts';

// It never executes a workload itself.
process.title = 'fanout-bench service';
const distFolder = import.meta.dirname;
const config = await orExit(() => readConfig(process.env));
const telemetry = startTelemetry();
const log = createLogger(config.logLevel, process.stdout.isTTY, telemetry.logStream);
const steps = onSignal(log);
telemetry.rememberRequests(config.maxRunsKept);
telemetry.onNotice((notice) => tellNotice(log, notice));
const [runtimes, { target, stop: stopTarget }] = await orExit(() =>
  Promise.all([findRuntimes(config, distFolder), startTarget(config, distFolder, log)]),
);
const world: World = { workloads, strategies, target, limits: config, runtimes };
const { awsEnvironment: environment, maxWorkers } = config;
const supervisor = new Supervisor({ distFolder, environment, runtimes, maxWorkers });
const admission = new Admission(config);
telemetry.metrics.watch({ admission, supervisor });
const archive = new RunArchive(config.maxRunsKept);
const bench = createBench({
  world,
  supervisor,
  admission,
  archive,
  calibrations: new Calibrations(),
  telemetry,
  reportRun: (record) => tellRun(log, record),
  reportFault: (error) => tellFault(log, error),
  targetProblem: () => unreachable(target),
});

const { version, measuredVersions } = readPackage(distFolder);
const app = createApp({
  world,
  bench,
  archive,
  metrics: telemetry.metrics,
  traceUrlTemplate: config.traceUrlTemplate,
  allowedHosts: config.allowedHosts,
  corsOrigins: config.corsOrigins,
  rateLimitPerMinute: config.rateLimitPerMinute,
  benchToken: config.benchToken,
  surroundings: surroundingsOf(config, measuredVersions),
  version,
  reportFault: (error) => tellFault(log, error),
});
const server = await orExit(() => listen(app, config.host, config.port));
await Promise.all([telemetry.probeCollector(), supervisor.standby()]);
steps.push(
  // In this order: nothing new, what is running ends or is ended, its spans go out.
  () => admission.close(),
  () => bench.settled(),
  () => bench.giveUp(),
  () => server.close(),
  () => supervisor.stop(),
  () => telemetry.shutdown(),
  () => stopTarget(),
);
announce(log, config, server.url, target, telemetry.collectorUrl);
