import type { CallToolResult } from '@modelcontextprotocol/server';
import { AccessError } from '../access/errors.ts';
import type { Caller } from './call-tool.ts';
import { McpError } from './errors.ts';
import type { Tool, ToolResult } from './tool.ts';

/** Codes of a chart that stays closed. Each answer carries the same way out, whoever asked and for whatever. */
const REFUSALS: ReadonlySet<string> = new Set(['NOT_FOUND', 'CHART_LIMIT', 'POLICY_UNAVAILABLE']);

/** Where in `_meta` a widget finds its part of an answer. */
const WIDGET_META = 'chartseal/widget';

/** A tool's answer as MCP says it: a sentence and the structured output for the model, and the widget's part apart. */
export function answerOf({ text, output, widget }: ToolResult<Record<string, unknown>>): CallToolResult {
  return {
    content: [{ type: 'text', text }],
    structuredContent: output,
    ...(widget === undefined ? {} : { _meta: { [WIDGET_META]: widget } }),
  };
}

/**
 * An error as the model reads it: what did not happen, why, what to do, and a stable code. For a missing scope
 * it carries the challenge that ChatGPT turns into its sign-in.
 */
export function errorAnswer(tool: Tool, error: unknown, caller: Caller): CallToolResult {
  const { resourceMetadataUrl, emergencyUrl } = caller.services;
  const { code, message, retryable } = McpError.describe(error);
  const meta: Record<string, unknown> = { 'chartseal/error': { code, retryable } };
  if (error instanceof AccessError && error.code === 'SCOPE_MISSING') {
    const asked = challenge(error, resourceMetadataUrl);
    meta['mcp/www_authenticate'] = [asked];
    caller.onStepUp?.(asked);
  }
  const wayOut = REFUSALS.has(code) ? ` Clinicians in an emergency: ${emergencyUrl}` : '';
  return {
    isError: true,
    content: [{ type: 'text', text: `${tool.onError} ${message} (${code})${wayOut}` }],
    _meta: meta,
  };
}

/** `WWW-Authenticate` of RFC 6750 §3 with the metadata address of RFC 9728 §5.1. */
export function challenge(error: AccessError, resourceMetadataUrl: string): string {
  const parts = [`Bearer resource_metadata="${resourceMetadataUrl}"`];
  if (error.code !== 'TOKEN_MISSING') {
    parts.push(`error="${error.code === 'SCOPE_MISSING' ? 'insufficient_scope' : 'invalid_token'}"`);
    parts.push(`error_description="${error.message}"`);
  }
  if (error.scopes.length > 0) parts.push(`scope="${error.scopes.join(' ')}"`);
  return parts.join(', ');
}
