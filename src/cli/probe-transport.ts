import { request } from 'node:https';
import { connect, type SecureVersion } from 'node:tls';
import type { TransportFacts } from '../compliance/facts.ts';

const VERSIONS: readonly SecureVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];
const DEADLINE_MS = 5_000;
const DAY_MS = 86_400_000;
/** Old versions need old ciphers: our own side must not be what refuses them. */
const ANY_CIPHER = 'DEFAULT:@SECLEVEL=0';

/** How the origin is reached. `ca` is for a certificate that is not signed publicly. */
export interface TransportProbe {
  readonly url: string;
  readonly now: number;
  readonly ca?: string;
}

/** Offers each version of TLS alone, looks at the certificate, and asks for one header. Null when nothing answers TLS. */
export async function probeTransport(probe: TransportProbe): Promise<TransportFacts | null> {
  const { protocol } = new URL(probe.url);
  if (protocol !== 'https:') return null;
  const taken = await Promise.all(VERSIONS.map((version) => offers(probe, version)));
  const accepted = VERSIONS.filter((_, at) => taken[at] === true);
  if (accepted.length === 0) return null;
  return {
    accepted,
    refused: VERSIONS.filter((version) => !accepted.includes(version)),
    certificate: await certificateOf(probe),
    strictTransport: await strictTransportOf(probe),
  };
}

const addressOf = ({ url }: TransportProbe) => {
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  // Server name indication takes names alone.
  const servername = /^[\d.]+$|:/.test(host) ? '' : host;
  return { host, port: Number(port || 443), servername };
};

function offers(probe: TransportProbe, version: SecureVersion): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({
      ...addressOf(probe),
      ...{ minVersion: version, maxVersion: version, ciphers: ANY_CIPHER },
      rejectUnauthorized: false,
      timeout: DEADLINE_MS,
    });
    const end = (answer: boolean) => (): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('secureConnect', end(true)).once('error', end(false)).once('timeout', end(false));
  });
}

function certificateOf(probe: TransportProbe): Promise<TransportFacts['certificate']> {
  return new Promise((resolve) => {
    const socket = connect({
      ...addressOf(probe),
      ...(probe.ca !== undefined && { ca: probe.ca }),
      rejectUnauthorized: false,
      timeout: DEADLINE_MS,
    });
    socket.once('secureConnect', () => {
      const { valid_to } = socket.getPeerCertificate();
      const daysLeft = Math.floor((Date.parse(valid_to) - probe.now) / DAY_MS);
      const problem = socket.authorized ? null : codeOf(socket.authorizationError);
      socket.destroy();
      resolve({ problem, daysLeft });
    });
    const fail = (): void => {
      socket.destroy();
      resolve({ problem: 'NO_ANSWER', daysLeft: 0 });
    };
    socket.once('error', fail).once('timeout', fail);
  });
}

/** The library gives a code or an error that has one. */
const codeOf = (error: unknown): string =>
  error instanceof Error ? ('code' in error && String(error.code)) || error.name : String(error);

function strictTransportOf(probe: TransportProbe): Promise<string | null> {
  return new Promise((resolve) => {
    const asked = request(new URL('/healthz', probe.url), {
      ...{ method: 'GET', rejectUnauthorized: false, timeout: DEADLINE_MS },
    });
    asked.once('response', ({ headers }) => {
      resolve(headers['strict-transport-security'] ?? null);
      asked.destroy();
    });
    asked.once('error', () => resolve(null)).once('timeout', () => asked.destroy());
    asked.end();
  });
}
