import { randomUUID } from 'node:crypto';
import { CLIENT_CAPABILITIES_META_KEY } from '@modelcontextprotocol/server';
import { WIDGET_TYPE } from './widget-pages.ts';

/** Under this name a client declares that it shows MCP Apps (ext-apps 2026-01-26, capability negotiation). */
const EXTENSION = 'io.modelcontextprotocol/ui';
const SESSION = /^apps-[0-9a-f-]{36}$/;

/** True when these client capabilities, from outside, declare MCP Apps. Whatever is not plainly so is a no. */
function declaresApps(capabilities: unknown): boolean {
  const types = field(field(field(capabilities, 'extensions'), EXTENSION), 'mimeTypes');
  return Array.isArray(types) && types.includes(WIDGET_TYPE);
}

/** From 2026-07-28 on each request declares them, in its own `_meta`. */
export const envelopeDeclaresApps = (envelope: unknown): boolean =>
  declaresApps(field(envelope, CLIENT_CAPABILITIES_META_KEY));

/**
 * The revisions up to 2025-11-25 declare capabilities once, in `initialize`, and this server keeps nothing between
 * requests. So a client that declares MCP Apps gets a session id that says so, and sends it with each request. The id
 * proves nothing and need not: whoever bears the token could as well have declared the capability.
 *
 * @returns the session id to answer an `initialize` with; null for any other body.
 */
export function appsSessionFor(body: unknown): string | null {
  if (field(body, 'method') !== 'initialize') return null;
  return declaresApps(field(field(body, 'params'), 'capabilities')) ? `apps-${randomUUID()}` : null;
}

/** True when a request's `mcp-session-id` is one of {@link appsSessionFor}. */
export function isAppsSession(id: unknown): boolean {
  return typeof id === 'string' && SESSION.test(id);
}

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
