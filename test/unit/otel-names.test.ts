import * as conventions from '@opentelemetry/semantic-conventions/incubating';
import { expect, test } from 'vitest';
import { codeIn, tableOfReadme } from '../support/readme-commands.ts';
import {
  benchMetric,
  runSpanName,
  semantic,
  semanticMetric,
  serviceName,
  signSpanName,
  taskSpanName,
} from '../../otel/names.ts';

test('the names that OpenTelemetry has are spelled as it spells them', () => {
  const { ATTR_RPC_METHOD: rpcMethod } = conventions;
  expect(semantic).toEqual({
    errorType: conventions.ATTR_ERROR_TYPE,
    exceptionType: conventions.ATTR_EXCEPTION_TYPE,
    exceptionMessage: conventions.ATTR_EXCEPTION_MESSAGE,
    requestMethod: conventions.ATTR_HTTP_REQUEST_METHOD,
    resendCount: conventions.ATTR_HTTP_REQUEST_RESEND_COUNT,
    responseStatus: conventions.ATTR_HTTP_RESPONSE_STATUS_CODE,
    serverAddress: conventions.ATTR_SERVER_ADDRESS,
    serverPort: conventions.ATTR_SERVER_PORT,
    urlFull: conventions.ATTR_URL_FULL,
    urlQuery: conventions.ATTR_URL_QUERY,
    processPid: conventions.ATTR_PROCESS_PID,
    threadId: conventions.ATTR_THREAD_ID,
    rpcSystem: conventions.ATTR_RPC_SYSTEM_NAME,
    rpcMethod,
    s3Bucket: conventions.ATTR_AWS_S3_BUCKET,
    s3Key: conventions.ATTR_AWS_S3_KEY,
    genAiOperation: conventions.ATTR_GEN_AI_OPERATION_NAME,
    genAiProvider: conventions.ATTR_GEN_AI_PROVIDER_NAME,
    genAiModel: conventions.ATTR_GEN_AI_REQUEST_MODEL,
    genAiMaxTokens: conventions.ATTR_GEN_AI_REQUEST_MAX_TOKENS,
    genAiStream: conventions.ATTR_GEN_AI_REQUEST_STREAM,
    genAiFinishReasons: conventions.ATTR_GEN_AI_RESPONSE_FINISH_REASONS,
    genAiTimeToFirstChunk: conventions.ATTR_GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK,
    genAiInputTokens: conventions.ATTR_GEN_AI_USAGE_INPUT_TOKENS,
    genAiOutputTokens: conventions.ATTR_GEN_AI_USAGE_OUTPUT_TOKENS,
    genAiInputMessages: conventions.ATTR_GEN_AI_INPUT_MESSAGES,
    genAiOutputMessages: conventions.ATTR_GEN_AI_OUTPUT_MESSAGES,
    genAiTokenType: conventions.ATTR_GEN_AI_TOKEN_TYPE,
  });
  expect(semanticMetric).toEqual({
    genAiDuration: conventions.METRIC_GEN_AI_CLIENT_OPERATION_DURATION,
    genAiTimeToFirstChunk: conventions.METRIC_GEN_AI_CLIENT_OPERATION_TIME_TO_FIRST_CHUNK,
    genAiTokenUsage: conventions.METRIC_GEN_AI_CLIENT_TOKEN_USAGE,
    serverDuration: conventions.METRIC_HTTP_SERVER_REQUEST_DURATION,
    eventLoopDelayP99: conventions.METRIC_NODEJS_EVENTLOOP_DELAY_P99,
    eventLoopUtilization: conventions.METRIC_NODEJS_EVENTLOOP_UTILIZATION,
  });
});

test('spans are named by what they show', () => {
  expect(serviceName).toBe('fanout-bench');
  expect(runSpanName('s3', 'presigned-async')).toBe('run s3 presigned-async');
  expect(signSpanName).toBe('sign');
  expect(taskSpanName('s3', 3)).toBe('task s3 3');
});

test('the README tells of every metric, and of no other', () => {
  const told = tableOfReadme('metric', 'what').flatMap(([metrics = '']) => codeIn(metrics));
  const { eventLoopDelayP99: _, eventLoopUtilization: __, ...semantics } = semanticMetric;
  const named = [...Object.values(benchMetric), ...Object.values(semantics), 'nodejs.eventloop.*', 'v8js.*'];
  expect(told.toSorted()).toEqual(named.toSorted());
});
