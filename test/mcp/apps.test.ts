import { EXTENSION_ID, RESOURCE_MIME_TYPE } from '@modelcontextprotocol/ext-apps/server';
import { describe, expect, test } from 'vitest';
import { appsSessionFor, envelopeDeclaresApps, isAppsSession } from '../../src/mcp/apps.ts';
import { WidgetPages } from '../../src/mcp/widget-pages.ts';

const TYPE = 'text/html;profile=mcp-app';
const DECLARED = { extensions: { 'io.modelcontextprotocol/ui': { mimeTypes: [TYPE] } } };
const initialize = (capabilities: unknown) => ({ method: 'initialize', params: { capabilities } });
const envelope = (capabilities: unknown) => ({
  'io.modelcontextprotocol/clientCapabilities': capabilities,
});

describe('MCP Apps is declared', () => {
  test('by the names that the extension’s own library has', () => {
    const capabilities = { extensions: { [EXTENSION_ID]: { mimeTypes: [RESOURCE_MIME_TYPE] } } };
    expect(capabilities).toEqual(DECLARED);
  });

  test('in each request of the newest revision', () => {
    expect(envelopeDeclaresApps(envelope(DECLARED))).toBe(true);
  });

  test('in initialize of the older ones, which a session id then carries', () => {
    const session = appsSessionFor(initialize(DECLARED));
    expect(isAppsSession(session)).toBe(true);
    expect(appsSessionFor(initialize(DECLARED))).not.toBe(session);
  });

  test.each([
    ['nothing', undefined],
    ['no capabilities', {}],
    ['another extension', { extensions: { 'io.modelcontextprotocol/tasks': { mimeTypes: [TYPE] } } }],
    ['no media types', { extensions: { 'io.modelcontextprotocol/ui': {} } }],
    ['another media type', { extensions: { 'io.modelcontextprotocol/ui': { mimeTypes: ['text/html'] } } }],
    ['a media type that is no list', { extensions: { 'io.modelcontextprotocol/ui': { mimeTypes: TYPE } } }],
    ['an experimental one', { experimental: DECLARED.extensions }],
    ['null', null],
    ['a string', 'io.modelcontextprotocol/ui'],
    ['a prototype’s', JSON.parse('{"__proto__":{"extensions":{}}}')],
  ])('not by %s', (_what, capabilities) => {
    expect(envelopeDeclaresApps(envelope(capabilities))).toBe(false);
    expect(appsSessionFor(initialize(capabilities))).toBeNull();
  });

  test('not by a call that looks like initialize in part, nor by another session id', () => {
    expect(appsSessionFor({ method: 'tools/call', params: { capabilities: DECLARED } })).toBeNull();
    expect(appsSessionFor([initialize(DECLARED)])).toBeNull();
    for (const id of [
      undefined,
      '',
      'apps-',
      `x${appsSessionFor(initialize(DECLARED))}`,
      ['apps-'],
      'apps-yes',
    ])
      expect(isAppsSession(id)).toBe(false);
  });
});

describe('the widgets’ pages', () => {
  const pages = new WidgetPages(new Map([['slot-picker', '<p>one</p>']]));
  const [listed] = pages.list();

  test('are listed under an address that changes with their content', () => {
    expect(listed).toMatchObject({
      uri: expect.stringMatching(/^ui:\/\/chartseal\/slot-picker-[0-9a-f]{16}\.html$/),
      mimeType: TYPE,
    });
    const [next] = new WidgetPages(new Map([['slot-picker', '<p>two</p>']])).list();
    expect(next?.uri).not.toBe(listed?.uri);
  });

  test('are read with a policy that allows no network at all', () => {
    expect(pages.read(listed?.uri ?? '')).toEqual({
      uri: listed?.uri,
      mimeType: TYPE,
      text: '<p>one</p>',
      _meta: {
        ui: {
          csp: { connectDomains: [], resourceDomains: [], frameDomains: [], baseUriDomains: [] },
          prefersBorder: true,
        },
      },
    });
  });

  test('are found under the address of an earlier version, and nothing else is', () => {
    expect(pages.read('ui://chartseal/slot-picker-0123456789abcdef.html')?.text).toBe('<p>one</p>');
    for (const uri of [
      'ui://chartseal/patients-0123456789abcdef.html',
      'ui://chartseal/../x.html',
      'file:///etc/passwd',
    ])
      expect(pages.read(uri)).toBeNull();
  });

  test('a tool whose page is not there names none', () => {
    expect(pages.metaOf('patients')).toEqual({});
    expect(pages.metaOf('slot-picker')).toEqual({
      ui: { resourceUri: listed?.uri },
      'openai/outputTemplate': listed?.uri,
      'openai/widgetAccessible': true,
    });
  });
});
