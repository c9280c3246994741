import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type Caller, credentialScope } from './caller.ts';
import type { CloudTrailRecord } from './cloudtrail.ts';
import type { KmsError } from './errors.ts';
import { lowerFirst } from './input.ts';
import type { ServiceParts, Trace } from './service.ts';
import type { StsEvent } from './sts.ts';

type Common = Pick<
  CloudTrailRecord,
  | 'eventVersion'
  | 'eventTime'
  | 'sourceIPAddress'
  | 'userAgent'
  | 'responseElements'
  | 'eventID'
  | 'eventType'
  | 'recipientAccountId'
>;

/** The record of one KMS call, made or refused. */
export function kmsRecord(
  trace: Trace,
  { request, parts, error }: { request: IncomingMessage; parts: ServiceParts; error?: KmsError },
): CloudTrailRecord {
  const { accountId } = parts;
  return {
    ...common(request, { accountId, now: parts.store.now() }),
    eventSource: 'kms.amazonaws.com',
    eventName: trace.name,
    awsRegion: trace.caller?.region ?? parts.homeRegion,
    userIdentity: trace.caller === null ? claimed(request, accountId) : known(trace.caller, accountId),
    requestParameters: shownParameters(trace),
    resources: [...trace.reached].map((ARN) => ({ ARN, type: 'AWS::KMS::Key', accountId })),
    readOnly: trace.operation.readOnly,
    requestID: trace.requestId,
    ...(error === undefined ? {} : { errorCode: error.code, errorMessage: error.message }),
  };
}

/** The record of one STS call, made or refused. */
export function stsRecord(
  event: StsEvent,
  place: { accountId: string; homeRegion: string; now: number },
): CloudTrailRecord {
  const { accountId } = place;
  const { caller, error } = event;
  return {
    ...common(event.request, place),
    eventSource: 'sts.amazonaws.com',
    eventName: event.name,
    awsRegion: caller?.region ?? place.homeRegion,
    userIdentity: caller === null ? { type: 'WebIdentityUser', accountId } : known(caller, accountId),
    requestParameters: event.parameters,
    resources: [],
    readOnly: true,
    requestID: event.requestId,
    ...(error === undefined ? {} : { errorCode: error.code, errorMessage: error.message }),
  };
}

const common = (
  request: IncomingMessage,
  { accountId, now }: { accountId: string; now: number },
): Common => ({
  eventVersion: '1.09',
  eventTime: `${new Date(now).toISOString().slice(0, 19)}Z`,
  sourceIPAddress: request.socket.remoteAddress ?? 'unknown',
  userAgent: request.headers['user-agent'] ?? '',
  responseElements: null,
  eventID: randomUUID(),
  eventType: 'AwsApiCall',
  recipientAccountId: accountId,
});

const known = ({ type, arn, accessKeyId }: Caller, accountId: string): CloudTrailRecord['userIdentity'] => ({
  type,
  arn,
  accountId,
  accessKeyId,
});

/** A refused caller is logged with the access key that it claimed. */
function claimed(request: IncomingMessage, accountId: string): CloudTrailRecord['userIdentity'] {
  try {
    return { type: 'Unknown', accountId, accessKeyId: credentialScope(request, 'kms').accessKeyId };
  } catch {
    return { type: 'Unknown', accountId };
  }
}

function shownParameters({ operation, input }: Trace): Record<string, unknown> {
  const shown = operation.logs.filter((name) => input.raw(name) !== undefined);
  return Object.fromEntries(shown.map((name) => [lowerFirst(name), input.raw(name)]));
}
