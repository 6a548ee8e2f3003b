import {
  defaultResource,
  detectResources,
  envDetector,
  hostDetector,
  osDetector,
  processDetector,
  resourceFromAttributes,
  serviceInstanceIdDetector,
  type Resource,
  type ResourceDetector,
} from '@opentelemetry/resources';
import { ATTR_SERVICE_NAME } from '@opentelemetry/semantic-conventions';
import { resourceDetectorNames } from './environment.ts';
import { serviceName } from './names.ts';

/**
 * What every span says of its process: what the SDK detects, `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME`, on
 * top of this service's name. Made here and not by the SDK, so that a run's trace.json carries the same one.
 */
export function telemetryResource(): Resource {
  const own = resourceFromAttributes({ [ATTR_SERVICE_NAME]: serviceName });
  return defaultResource()
    .merge(own)
    .merge(detectResources({ detectors: detectors() }));
}

/** The SDK's names for its detectors, in its order: a later one wins. */
const byName: Readonly<Record<string, ResourceDetector>> = {
  serviceinstance: serviceInstanceIdDetector,
  process: processDetector,
  host: hostDetector,
  os: osDetector,
  env: envDetector,
};

function detectors(): ResourceDetector[] {
  const names = resourceDetectorNames();
  if (names.includes('none')) return [];
  return Object.entries(byName).flatMap(([name, detector]) =>
    names.includes('all') || names.includes(name) ? [detector] : [],
  );
}
