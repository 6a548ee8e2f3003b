import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { resourceFromAttributes, type Resource } from '@opentelemetry/resources';
import type { MetricReader } from '@opentelemetry/sdk-metrics';

/** What resource detectors find out about the machine: command lines, paths and users, which whoever scrapes need not know. */
const ofTheMachine = /^(?:process|host|os)\./u;

/** The metrics as Prometheus scrapes them, through the service's own HTTP server. */
export class Scrape {
  /** To be given to the SDK. */
  readonly reader: MetricReader = new PrometheusExporter({ preventServerStart: true });
  // Names of metrics are unique, so that naming each one's library would only make series wider.
  readonly #serializer = new PrometheusSerializer(undefined, false, undefined, false, true);

  /** All metrics in Prometheus's text format 0.0.4. */
  async text(): Promise<string> {
    const { resourceMetrics } = await this.reader.collect();
    const resource = withoutMachine(resourceMetrics.resource);
    return this.#serializer.serialize({ ...resourceMetrics, resource });
  }
}

function withoutMachine({ attributes }: Resource): Resource {
  return resourceFromAttributes(
    Object.fromEntries(Object.entries(attributes).filter(([name]) => !ofTheMachine.test(name))),
  );
}
