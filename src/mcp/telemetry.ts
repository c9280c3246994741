import type { CallToolResult } from '@modelcontextprotocol/server';
import {
  type Counter,
  type Histogram,
  type MeterProvider,
  metrics,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { VERSION } from '../kernel/version.ts';

/**
 * One span and two measurements for each call of a tool, for whoever registers an OpenTelemetry SDK; without one this costs
 * next to nothing. What they carry is an allow-list: the tool's name, how it ended and the error's code. No person, tenant,
 * patient, argument or answer: telemetry leaves for places where its readers are not known (G1).
 */
interface Attributes {
  readonly 'gen_ai.tool.name': string;
  readonly 'chartseal.outcome': 'answered' | 'refused';
  /** A stable code of ours. */
  readonly 'error.type'?: string;
}

const SCOPE = 'chartseal';

/** Runs a call under a span; what it throws is a fault, and goes on. */
export async function traced(tool: string, call: () => Promise<CallToolResult>): Promise<CallToolResult> {
  const start = performance.now();
  const span = trace.getTracer(SCOPE, VERSION).startSpan('tools/call', { kind: SpanKind.SERVER });
  const end = (attributes: Attributes): void => {
    const { 'error.type': code } = attributes;
    span.setAttributes({ ...attributes });
    if (code !== undefined) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end();
    const { calls, duration } = instruments();
    calls.add(1, { ...attributes });
    duration.record((performance.now() - start) / 1_000, { ...attributes });
  };
  try {
    const answer = await call();
    const code = codeOf(answer);
    const refused = code === undefined ? {} : { 'error.type': code };
    end({
      'gen_ai.tool.name': tool,
      'chartseal.outcome': answer.isError === true ? 'refused' : 'answered',
      ...refused,
    });
    return answer;
  } catch (error) {
    end({ 'gen_ai.tool.name': tool, 'chartseal.outcome': 'refused', 'error.type': 'UNEXPECTED' });
    throw error;
  }
}

let made: {
  readonly by: MeterProvider;
  readonly calls: Counter;
  readonly duration: Histogram;
} | null = null;

/** Made once for whichever SDK is registered: to make them anew costs more than all else here. */
function instruments() {
  const by = metrics.getMeterProvider();
  if (made?.by === by) return made;
  const meter = by.getMeter(SCOPE, VERSION);
  const unit = { unit: 's', description: 'How long a tool took' };
  made = {
    by,
    calls: meter.createCounter('chartseal.tool.calls'),
    duration: meter.createHistogram('chartseal.tool.duration', unit),
  };
  return made;
}

/** Codes are words of ours; anything else stays here. */
function codeOf({ _meta }: CallToolResult): string | undefined {
  const error = _meta?.['chartseal/error'];
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[A-Z_]{1,40}$/.test(code) ? code : undefined;
}
