import { startTelemetry } from './sdk.ts';

// Preloaded (`node --import`), so that telemetry is there before anything that it instruments is imported.
startTelemetry();
