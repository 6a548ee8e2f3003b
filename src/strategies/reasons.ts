/** Why no isolate takes the AWS SDK. */
export const sdkNeedsNode =
  'The AWS SDK needs Node APIs (net, crypto, streams) that a bare V8 isolate lacks: use presigned instead.';
