import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';

/**
 * Runs the Auth emulator of firebase-tools in a process of its own, and ends with whoever started it: the channel
 * to the parent closes even when the parent is killed. It reaches below the command line, because that takes three
 * times as long to start; the version of firebase-tools is pinned, and a test holds this to it.
 */

interface ApiSpec {
  readonly default: { readonly paths: Record<string, unknown> };
}
interface AuthServer {
  createApp(projectId: string, singleProjectMode: string): Promise<RequestListener>;
}

/** Addresses of features that Chartseal does not use. Compiling their schemas is half of the start. */
const UNUSED = /\/tenants|Saml|IdpConfigs/;

const load = createRequire(import.meta.url);

async function main(projectId: string, port: number): Promise<void> {
  // The port first: that it is taken should be known before the seconds that the rest needs.
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  const { default: spec } = load('firebase-tools/lib/emulator/auth/apiSpec') as ApiSpec;
  for (const path of Object.keys(spec.paths)) if (UNUSED.test(path)) delete spec.paths[path];
  const { createApp } = load('firebase-tools/lib/emulator/auth/server') as AuthServer;
  server.on('request', await createApp(projectId, 'error'));
  process.send?.({ port: (server.address() as AddressInfo).port });
}

process.on('disconnect', () => process.exit(0));
// Ctrl-C in a terminal reaches the whole group; the parent decides when this ends.
process.on('SIGINT', () => {});
await main(process.argv[2] ?? '', Number(process.argv[3] ?? 0));
