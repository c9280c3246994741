import { type MountOptions, mountMcp } from '../conversations/mount.ts';
import type { People } from '../conversations/people.ts';

/** The MCP address for John, and how long the server took for each call, in µs. */
export async function serveTimed(people: People, options: MountOptions = {}) {
  const served: number[] = [];
  const mount = await mountMcp(people, { ...options, onServed: (ms) => served.push(ms * 1_000) });
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    authorization: `Bearer ${await mount.token('john')}`,
  };
  const call = async (name: string, args: object) => {
    const params = { name, arguments: args };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
    const response = await fetch(mount.address, { method: 'POST', headers, body });
    const { result } = (await response.json()) as { result?: { structuredContent?: { outcome?: string } } };
    while (served.length === 0) await new Promise((resolve) => setImmediate(resolve));
    return { outcome: result?.structuredContent?.outcome, server: served.shift() ?? 0 };
  };
  return { call, close: mount.close };
}
