import type { IncomingMessage } from 'node:http';
import type { EventLog } from './cloudtrail.ts';
import { KmsError } from './errors.ts';
import { type Faults, parseFaults } from './faults.ts';
import { json, parseObject, type Reply, readBody } from './http.ts';
import type { KeyStore } from './key-store.ts';

/** What the admin addresses can reach. */
export interface AdminParts {
  readonly store: KeyStore;
  readonly events: EventLog;
  readonly faults: Faults;
}

/**
 * `PUT /_admin/faults`, `DELETE /_admin/faults`, `GET /_admin/events?since=N`, `GET /_admin/state`. The state that
 * it shows has no key material.
 */
export async function serveAdmin(request: IncomingMessage, url: URL, parts: AdminParts): Promise<Reply> {
  switch (`${request.method} ${url.pathname}`) {
    case 'PUT /_admin/faults':
      return putFaults(request, parts);
    case 'DELETE /_admin/faults':
      parts.faults.set({});
      return json(200, parts.faults.settings);
    case 'GET /_admin/events':
      return json(200, parts.events.since(Number(url.searchParams.get('since')) || 0));
    case 'GET /_admin/state':
      return json(200, shownState(parts));
    default:
      return json(404, { message: 'There is no such admin address.' });
  }
}

async function putFaults(request: IncomingMessage, { faults }: AdminParts): Promise<Reply> {
  try {
    const settings = parseFaults(parseObject(await readBody(request)));
    if (settings === null) {
      return json(400, {
        message: 'Faults are latencyMs (0–60000), throttleRate (0–1), outage, errors {operation: name}.',
      });
    }
    faults.set(settings);
    return json(200, settings);
  } catch (error) {
    if (error instanceof KmsError) return json(error.status, { message: error.message });
    throw error;
  }
}

function shownState({ store, faults }: AdminParts): unknown {
  store.tend();
  const { keys, aliases, revision } = store.state;
  return {
    revision,
    faults: faults.settings,
    aliases,
    keys: Object.values(keys).map((key) => ({
      ...key,
      materials: key.materials.map(({ secret: _never, ...shown }) => shown),
    })),
  };
}
