import { redactText } from '../../otel/redaction.ts';
import { connectionProblem } from '../reachable.ts';
import type { ServiceName, TargetSettings } from './target.ts';

/** How long a target may take to accept a connection. */
const limitMs = 2_000;

/** What AWS's own endpoints of a region begin with. */
const hostOf: Readonly<Record<ServiceName, string>> = { s3: 's3', bedrock: 'bedrock-runtime', sts: 'sts' };

/**
 * Why endpoints that the workloads would be given do not accept connections, or `null`. Looked at are those that are set,
 * and AWS's own of the region for what is configured: S3 with a bucket, Bedrock with a model, and STS where it is all there
 * is. Pages of the web are not part of the target: one that is away makes its task fail, and nothing else.
 */
export async function unreachable(target: TargetSettings): Promise<string | null> {
  const urls = new Set(servicesIn(target).map((service) => endpointOf(service, target)));
  const problems = await Promise.all(
    [...urls].map(async (url) => {
      const problem = await connectionProblem(new URL(url), limitMs);
      return problem === null ? [] : [redactText(`${url} can't be reached: ${problem}`)];
    }),
  );
  return problems.flat().length === 0 ? null : problems.flat().join('; ');
}

function servicesIn({ endpoints, s3, bedrock }: TargetSettings): readonly ServiceName[] {
  const configured: Readonly<Record<ServiceName, boolean>> = {
    s3: endpoints.s3 !== null || s3.bucket !== null,
    bedrock: endpoints.bedrock !== null || bedrock.modelId !== null,
    sts: endpoints.sts !== null,
  };
  const services = (['s3', 'bedrock', 'sts'] as const).filter((service) => configured[service]);
  return services.length > 0 ? services : ['sts'];
}

function endpointOf(service: ServiceName, { endpoints, region }: TargetSettings): string {
  return (
    endpoints[service] ??
    `https://${hostOf[service]}.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`
  );
}
