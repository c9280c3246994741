import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEMO_PASSWORD } from '../../src/dev/people.ts';
import type { Stack, StackOptions } from '../../src/dev/stack.ts';
import { obtainToken } from '../../src/dev/user-agent/obtain-token.ts';

/** A local stack of a test's own, and how to speak to it. */
export interface TestStack {
  readonly stack: Stack;
  readonly dataDir: string;
  token(email: string, scope?: string): Promise<string>;
  /** One JSON-RPC request, as raw as it gets. */
  post(body: string, token?: string, headers?: Record<string, string>): Promise<Answer>;
  /** Calls a tool and returns the result, whichever way it went. */
  call(token: string, name: string, args?: unknown): Promise<ToolResult>;
  close(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: {
    readonly result?: ToolResult;
    readonly error?: { code: number; message: string; data?: { code: string } };
  };
}

export interface ToolResult {
  readonly isError?: boolean;
  readonly content: readonly { readonly text: string }[];
  readonly structuredContent?: Record<string, unknown>;
  readonly _meta?: Record<string, unknown>;
}

/** A folder of a test's own that a database server run as another user can reach. */
export function openFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'chartseal-e2e-'));
  chmodSync(folder, 0o755);
  return folder;
}

export async function startTestStack(
  start: (options: StackOptions) => Promise<Stack>,
  options: { store?: 'firestore' | 'postgres'; port?: number } = {},
): Promise<TestStack> {
  const dataDir = openFolder();
  const stack = await start({ port: options.port ?? 0, dataDir, store: options.store });
  const post: TestStack['post'] = async (body, token, headers = {}) => {
    const response = await fetch(`${stack.origin}/mcp`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      body,
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: jsonOf(text) };
  };
  return {
    stack,
    dataDir,
    post,
    token: async (email, scope) => {
      const answer = await obtainToken({
        origin: stack.origin,
        authEmulatorUrl: `http://${stack.env['FIREBASE_AUTH_EMULATOR_HOST'] ?? ''}`,
        email,
        password: DEMO_PASSWORD,
        ...(scope === undefined ? {} : { scope }),
      });
      return answer.access_token;
    },
    call: async (token, name, args = {}) => {
      const request = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } };
      const { json, text } = await post(JSON.stringify(request), token);
      if (json.result === undefined) throw new Error(`No result: ${text}`);
      return json.result;
    },
    close: async () => {
      await stack.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

function jsonOf(text: string): Answer['json'] {
  try {
    return JSON.parse(text) as Answer['json'];
  } catch {
    return {};
  }
}

export const textOf = (result: ToolResult): string => result.content.map(({ text }) => text).join(' ');
export const codeOf = (result: ToolResult): unknown =>
  (result._meta?.['chartseal/error'] as { code?: string } | undefined)?.code;
