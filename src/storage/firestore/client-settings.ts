import { READ_DEADLINE_MS } from '../deadline.ts';
import { commitError } from './grpc-errors.ts';

const METHOD = {
  timeout_millis: READ_DEADLINE_MS,
  retry_codes_name: 'none',
  retry_params_name: 'default',
};

/**
 * Deadlines, and no retries at the level of gRPC. Its defaults are ten minutes, and a commit sent again when the
 * first reply was lost, so that a transaction would meet its own rows. The SDK still repeats reads, five times.
 */
const clientConfig = {
  interfaces: {
    'google.firestore.v1.Firestore': {
      retry_codes: { none: [] },
      retry_params: {
        default: {
          initial_retry_delay_millis: 100,
          retry_delay_multiplier: 1.5,
          max_retry_delay_millis: 2_000,
          initial_rpc_timeout_millis: READ_DEADLINE_MS,
          rpc_timeout_multiplier: 1,
          max_rpc_timeout_millis: READ_DEADLINE_MS,
          total_timeout_millis: READ_DEADLINE_MS,
        },
      },
      methods: {
        BatchGetDocuments: METHOD,
        RunQuery: METHOD,
        Rollback: METHOD,
        Commit: METHOD,
      },
    },
  },
};

/** The part of a grpc-js call that {@link markLostCommit} looks at. */
interface Call {
  methodDefinition: { path: string };
  callback: (error: { code: number } | null, ...rest: unknown[]) => void;
}

/** Makes a commit of unknown outcome known to the store, and keeps the SDK from running the work again. */
function markLostCommit(call: Call): Call {
  if (!call.methodDefinition.path.endsWith('/Commit')) return call;
  const { callback } = call;
  return {
    ...call,
    callback: (error, ...rest) => callback(error === null ? null : commitError(error), ...rest),
  };
}

/** Settings of the Firestore client beyond what its types name: they reach google-gax and grpc-js. */
export const CLIENT_SETTINGS = { clientConfig, 'grpc.callInvocationTransformer': markLostCommit };

/** An emulator needs no credentials; without `auth` the client would look for some, for up to a second. */
export const emulatorSettings = (host: string) => ({
  host,
  ssl: false,
  auth: { getUniverseDomain: async () => 'googleapis.com' },
});
