import { StoreError } from '../../kernel/store.ts';
import { alreadyExists, contention, refused, storeUse, unavailable } from '../errors.ts';

/** The gRPC status codes that Firestore answers with (google.rpc.Code). */
const GRPC = {
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

/** After these a commit may have taken place all the same. */
const AMBIGUOUS: ReadonlySet<number> = new Set([
  GRPC.CANCELLED,
  GRPC.UNKNOWN,
  GRPC.DEADLINE_EXCEEDED,
  GRPC.INTERNAL,
  GRPC.UNAVAILABLE,
]);

/**
 * Turns what the SDK threw into a {@link StoreError}. The original is not kept as a cause: its message holds
 * document paths and may hold values.
 */
export function fromGrpc(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const code = codeOf(error);
  switch (code) {
    case GRPC.ABORTED:
      return contention();
    case GRPC.ALREADY_EXISTS:
      return alreadyExists();
    case GRPC.INVALID_ARGUMENT:
      return isExpired(error) ? contention() : storeUse('Firestore refused the request as malformed.');
    case GRPC.FAILED_PRECONDITION:
      return storeUse('Firestore refused the request: check that firestore.indexes.json is deployed.');
    case GRPC.NOT_FOUND:
    case GRPC.PERMISSION_DENIED:
    case GRPC.UNAUTHENTICATED:
      return refused(nameOf(code));
    default:
      return unavailable(nameOf(code));
  }
}

/** What a commit of unknown outcome fails with. The SDK does not retry DATA_LOSS. */
class CommitReplyLost extends Error {
  readonly code = GRPC.DATA_LOSS;
}

/** Replaces the error of a commit that may have taken place, so that the SDK does not run the work again. */
export function commitError(error: { code: number }): { code: number } {
  return AMBIGUOUS.has(error.code) ? new CommitReplyLost('The reply to a commit was lost.') : error;
}

/** Firestore says INVALID_ARGUMENT of a transaction that took too long. */
function isExpired(error: unknown): boolean {
  return (
    error instanceof Error && /transaction (has expired|is invalid|was different|closed)/i.test(error.message)
  );
}

function codeOf(error: unknown): number | null {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'number' ? code : null;
}

function nameOf(code: number | null): string {
  return Object.entries(GRPC).find(([, value]) => value === code)?.[0] ?? 'no connection';
}
