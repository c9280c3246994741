import { metrics, trace } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, BatchSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { traced } from '../../src/mcp/telemetry.ts';
import { openClinic } from '../access/people.ts';
import type { Bench, BenchOptions, Measured } from './bench.ts';

/** What telemetry costs whoever registers an SDK. */
export const TELEMETRY_BENCHES: readonly Bench[] = [
  { name: 'telemetry-call', unit: 'us', target: 1.05, measure: calls },
];

/** Calls in a batch: of the tool, and of nothing. */
const TOOL_CALLS = 50;
const EMPTY_CALLS = 2_000;
const HOUR_MS = 3_600_000;

/**
 * The CPU of a call of a tool and what telemetry adds to it, over the call alone. What it adds is measured apart, on a call
 * that does nothing, with the SDK registered and every span exported, less the same with none registered: within a call
 * of a tool it is smaller than what garbage collection and other processes add by chance. The best batch of each counts.
 * No HTTP, token or database is in the call: beside those the share of telemetry is smaller.
 */
async function calls({ quick }: BenchOptions): Promise<Measured> {
  const at = await openClinic();
  const asked = { sections: ['demographics', 'medications'] };
  const tool = () => at.call('usr_john', 'getPatient', asked);
  const empty = () => traced('getPatient', async () => ({ content: [] }));
  const sdk = createSdk();
  const best = {
    tool: Number.POSITIVE_INFINITY,
    on: Number.POSITIVE_INFINITY,
    off: Number.POSITIVE_INFINITY,
  };
  const least = (which: keyof typeof best, took: number): void => {
    best[which] = Math.min(best[which], took);
  };
  for (let round = 0; round < (quick ? 15 : 60); round += 1) {
    least('tool', await cpuOf(tool, { calls: TOOL_CALLS }));
    least('off', await cpuOf(empty, { calls: EMPTY_CALLS }));
    sdk.register();
    least('on', await cpuOf(empty, { calls: EMPTY_CALLS, after: sdk.flush }).finally(sdk.unregister));
  }
  if (sdk.exported() === 0) throw new Error('Nothing was exported: telemetry was off.');
  await sdk.close();
  return { value: best.tool + (best.on - best.off), floor: best.tool };
}

/** Microseconds of CPU a call, of all threads: garbage collection and export are part of it. */
async function cpuOf(
  call: () => Promise<unknown>,
  { calls, after }: { calls: number; after?: () => Promise<unknown> },
): Promise<number> {
  const start = process.cpuUsage();
  for (let count = 0; count < calls; count += 1) await call();
  await after?.();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / calls;
}

/** The SDK as a server would register it, but for the wire: what an exporter sends is made into JSON and dropped. */
function createSdk() {
  let exported = 0;
  const exporter = {
    export: (spans: readonly ReadableSpan[], done: (result: { code: 0 }) => void): void => {
      exported += JSON.stringify(
        spans.map(({ name, attributes, duration }) => ({ name, attributes, duration })),
      ).length;
      done({ code: 0 });
    },
    shutdown: async () => {},
  };
  const tracers = new BasicTracerProvider({
    spanProcessors: [new BatchSpanProcessor(exporter, { maxQueueSize: 2 * EMPTY_CALLS })],
  });
  const reader = new PeriodicExportingMetricReader({
    exporter: new InMemoryMetricExporter(AggregationTemporality.DELTA),
    exportIntervalMillis: HOUR_MS,
  });
  const meters = new MeterProvider({ readers: [reader] });
  return {
    exported: () => exported,
    register: (): void => {
      trace.setGlobalTracerProvider(tracers);
      metrics.setGlobalMeterProvider(meters);
    },
    unregister: (): void => {
      trace.disable();
      metrics.disable();
    },
    flush: async () => await tracers.forceFlush(),
    close: async () => {
      await tracers.shutdown();
      await meters.shutdown();
    },
  };
}
