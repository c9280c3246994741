import type { Answers, FromWorker, OwnEvidence, ToWorker } from './protocol.ts';

type Call = Exclude<ToWorker, { kind: 'verify' }>;
/** A call without its number. */
type Asked = { [K in Call['kind']]: Omit<Extract<Call, { kind: K }>, 'call'> }[Call['kind']];
/** What the worker tells without being asked. */
export type Told = Exclude<FromWorker, { kind: 'answer' }>;

/** The worker, as calls that answer. */
export class WorkerClient {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, (value: never) => void>();
  #calls = 0;

  constructor(tell: (message: Told) => void) {
    this.#worker = new Worker('/assets/console-worker.js', { type: 'module' });
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.kind !== 'answer') return tell(data);
      this.#waiting.get(data.call)?.(data.value as never);
      this.#waiting.delete(data.call);
    };
    this.#worker.onerror = () => tell({ kind: 'failed', code: 'BROKEN_OFF' });
  }

  verify(own: OwnEvidence): void {
    this.#worker.postMessage({ kind: 'verify', own } satisfies ToWorker);
  }

  ask<K extends Asked['kind']>(asked: Extract<Asked, { kind: K }>): Promise<Answers[K]> {
    this.#calls += 1;
    const call = this.#calls;
    this.#worker.postMessage({ ...asked, call });
    return new Promise((resolve) => this.#waiting.set(call, resolve as (value: never) => void));
  }
}
