import {
  Client as NewClient,
  StreamableHTTPClientTransport as NewTransport,
} from '@modelcontextprotocol/client';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { oauthPerson, type Person } from './oauth-person.ts';

/** A tool's answer, as both generations of clients give it. */
export interface ToolAnswer {
  readonly isError?: boolean | undefined;
  readonly content: readonly { readonly type: string; readonly text?: string }[];
  readonly structuredContent?: Record<string, unknown> | undefined;
  readonly _meta?: Record<string, unknown> | undefined;
}

/** A connected client, whichever era it speaks. */
export interface Assistant {
  readonly era: string;
  listTools(): Promise<readonly { readonly name: string }[]>;
  call(name: string, args: Record<string, unknown>): Promise<ToolAnswer>;
  close(): Promise<void>;
}

const INFO = { name: 'chartseal-demo', version: '1.0.0' };

/** Connects `@modelcontextprotocol/sdk` 1.32, which speaks the revisions up to 2025-11-25, knowing only the address. */
export async function connectOldEra(mcp: URL, person: Person): Promise<Assistant> {
  const { provider, callback } = oauthPerson(person, 'Demo assistant (2025-11-25)');
  const open = () => new OldTransport(mcp, { authProvider: provider as never });
  const first = open();
  const client = new OldClient(INFO);
  await signInFirst(client.connect(first as never));
  await first.finishAuth(callback()?.get('code') ?? '');
  const connected = new OldClient(INFO);
  await connected.connect(open() as never);
  return {
    era: '2025-11-25',
    listTools: async () => (await connected.listTools()).tools,
    call: async (name, args) =>
      (await connected.callTool({ name, arguments: args })) as unknown as ToolAnswer,
    close: () => connected.close(),
  };
}

/** Connects `@modelcontextprotocol/client` 2.x at revision 2026-07-28, knowing only the address. */
export async function connectNewEra(mcp: URL, person: Person): Promise<Assistant> {
  const { provider, callback } = oauthPerson(person, 'Demo assistant (2026-07-28)');
  const open = () => new NewTransport(mcp, { authProvider: provider });
  const options = { versionNegotiation: { mode: { pin: '2026-07-28' } } } as const;
  const first = open();
  await signInFirst(new NewClient(INFO, options).connect(first));
  await first.finishAuth(callback() ?? new URLSearchParams());
  const connected = new NewClient(INFO, options);
  await connected.connect(open());
  return {
    era: '2026-07-28',
    listTools: async () => (await connected.listTools()).tools,
    call: async (name, args) =>
      (await connected.callTool({ name, arguments: args })) as unknown as ToolAnswer,
    close: () => connected.close(),
  };
}

/** The first connection always ends in "unauthorized", once the person has signed in. */
async function signInFirst(connecting: Promise<void>): Promise<void> {
  const refused = await connecting.then(
    () => null,
    (error: unknown) => error,
  );
  if (refused === null) throw new Error('The server let a client in that had no token.');
  if (!(refused instanceof Error && /unauthorized/i.test(`${refused.name} ${refused.message}`)))
    throw refused;
}
