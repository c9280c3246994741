import { metrics, type Span, trace } from '@opentelemetry/api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { traced } from '../../src/mcp/telemetry.ts';
import { openClinic } from '../access/people.ts';

const ALLOWED = ['gen_ai.tool.name', 'chartseal.outcome', 'error.type'];
type Seen = { name: string; attributes: Record<string, unknown> };
let seen: Seen[] = [];

/** An SDK that keeps everything it is told. */
beforeEach(() => {
  seen = [];
  trace.setGlobalTracerProvider({
    getTracer: () => ({
      startSpan: (name: string, options: { attributes?: Record<string, unknown> } = {}) => {
        const span = { name, attributes: { ...options.attributes } };
        seen.push(span);
        return {
          setAttributes: (more: Record<string, unknown>) => Object.assign(span.attributes, more),
          setStatus: () => undefined,
          end: () => undefined,
        } as unknown as Span;
      },
    }),
  } as never);
  const keep = (name: string) => (_value: number, attributes: Record<string, unknown>) =>
    seen.push({ name, attributes });
  metrics.setGlobalMeterProvider({
    getMeter: () => ({
      createCounter: (name: string) => ({ add: keep(name) }),
      createHistogram: (name: string) => ({ record: keep(name) }),
    }),
  } as never);
});
afterEach(() => {
  trace.disable();
  metrics.disable();
});

test('a call is one span and two measurements, of allowed attributes alone', async () => {
  const at = await openClinic();
  const asked = { sections: ['demographics', 'medications'] };
  const answer = await traced('getPatient', () => at.call('usr_john', 'getPatient', asked));
  expect(answer.isError).not.toBe(true);
  expect(seen.map(({ name }) => name)).toEqual([
    'tools/call',
    'chartseal.tool.calls',
    'chartseal.tool.duration',
  ]);
  for (const { attributes } of seen)
    expect(attributes).toEqual({ 'gen_ai.tool.name': 'getPatient', 'chartseal.outcome': 'answered' });
});

test('of a refusal only the code is told, whatever was asked and whoever asked', async () => {
  const at = await openClinic();
  const asked = { sections: ['medications'], patient: 'pat_PLANTED0000000000000000' };
  await traced('getPatient', () => at.call('usr_john', 'getPatient', asked));
  await traced('whoAmI', () => at.call('usr_john', 'whoAmI', { PLANTED: 'PLANTED' }));
  expect(seen[0]?.attributes).toEqual({
    'gen_ai.tool.name': 'getPatient',
    'chartseal.outcome': 'refused',
    'error.type': 'NOT_FOUND',
  });
  const names = new Set(seen.flatMap(({ attributes }) => Object.keys(attributes)));
  expect([...names].filter((name) => !ALLOWED.includes(name))).toEqual([]);
  expect(JSON.stringify(seen)).not.toMatch(/PLANTED|usr_john|riverside/);
});

test('a fault goes on, and its words stay here', async () => {
  const fault = new Error('a value that nobody may see');
  await expect(traced('whoAmI', () => Promise.reject(fault))).rejects.toBe(fault);
  expect(JSON.stringify(seen)).not.toContain('nobody may see');
  expect(seen[0]?.attributes['error.type']).toBe('UNEXPECTED');
});
