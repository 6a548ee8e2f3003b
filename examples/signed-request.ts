// Signs with the AWS SDK and sends with `fetch`, which knows nothing of AWS.
//
//   npx node examples/signed-request.ts                    who am I? (STS GetCallerIdentity)
//   npx node examples/signed-request.ts my-bucket my/key   an object's size and type (S3 GetObject)
//
// `npx` takes the Node that `npm ci` installed here; elsewhere `node` does, from 22.18 on.
// Region, credentials and endpoints come from where the SDK finds them: AWS_REGION, AWS_PROFILE, AWS_ENDPOINT_URL, ...
import { argv } from 'node:process';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { toSignedRequest } from 'fanout-bench/signed-request';

const [bucket, key] = argv.slice(2);
const { url, ...init } =
  bucket === undefined
    ? await toSignedRequest(new STSClient(), new GetCallerIdentityCommand())
    : await toSignedRequest(new S3Client(), new GetObjectCommand({ Bucket: bucket, Key: key }));

// From here on no credentials are needed: this much could happen in another thread, process or language.
const answer = await fetch(url, init);
const body = await answer.bytes();

console.log(answer.status, answer.headers.get('content-type'), `${body.byteLength} bytes`);
if (bucket === undefined || !answer.ok) console.log(new TextDecoder().decode(body));
