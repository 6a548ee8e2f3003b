/**
 * The region that the SDK finds by itself: `AWS_REGION`, or that of the profile in use (`AWS_PROFILE`, `~/.aws/config`).
 * `null`: none is set anywhere.
 */
export async function regionOfProfile(): Promise<string | null> {
  // Takes a while to load, and is rarely needed.
  const { STSClient } = await import('@aws-sdk/client-sts');
  const client = new STSClient();
  try {
    return await client.config.region();
  } catch {
    // It has one error for "none": the region is missing.
    return null;
  } finally {
    client.destroy();
  }
}
