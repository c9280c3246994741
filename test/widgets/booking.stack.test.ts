import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startStack } from '../../src/dev/stack.ts';
import { startTestStack, type TestStack } from '../e2e/stack.ts';
import { describeNeeding } from '../stack/needs.ts';
import { startHost } from './host.ts';
import type { HostResult } from './host-page.ts';

const APPS = { 'io.modelcontextprotocol/ui': { mimeTypes: ['text/html;profile=mcp-app'] } };

describeNeeding('chromium', 'a host with the official client, a real server and a real browser', () => {
  let house: TestStack;
  let host: Awaited<ReturnType<typeof startHost>>;
  let client: Client;
  beforeAll(async () => {
    house = await startTestStack(startStack, { store: 'postgres' });
    host = await startHost();
    const token = await house.token('john@example.com');
    client = new Client({ name: 'host', version: '1.0.0' }, { capabilities: { extensions: APPS } });
    const requestInit = { headers: { authorization: `Bearer ${token}` } };
    await client.connect(
      new StreamableHTTPClientTransport(new URL(`${house.stack.origin}/mcp`), { requestInit }),
    );
  });
  afterAll(async () => {
    await client?.close();
    await host?.close();
    await house?.close();
  });

  test('the page that the tool names books a visit, and the person gets its calendar file', async () => {
    const call = (name: string, args: Record<string, unknown>) =>
      client.callTool({ name, arguments: args }) as Promise<HostResult>;
    const { tools } = await client.listTools();
    const ui = tools.find(({ name }) => name === 'findOpenSlots')?._meta?.['ui'] as { resourceUri: string };
    const { resources } = await client.listResources();
    expect(resources.map(({ uri }) => uri)).toContain(ui.resourceUri);
    const { contents } = await client.readResource({ uri: ui.resourceUri });
    const [page] = contents as { text: string; mimeType: string }[];
    expect(page?.mimeType).toBe('text/html;profile=mcp-app');
    const day = (ahead: number) => new Date(Date.now() + ahead * 86_400_000).toISOString().slice(0, 10);
    const input = { visitType: 'general-visit', from: day(7), to: day(14) };
    const result = await call('findOpenSlots', input);
    const opened = { tool: 'findOpenSlots', input, result };
    const widget = await host.open('slot-picker', opened, { html: page?.text ?? '' }, call);
    await widget.frame.getByRole('radio').first().check();
    await widget.frame.getByRole('button', { name: /^Book/ }).click();
    await widget.frame.getByText('Your visit is booked').waitFor();
    await widget.frame.getByRole('button', { name: 'Add to calendar' }).waitFor();
    expect(widget.problems).toEqual([]);
    const listed = await call('listAppointments', {});
    expect(listed.structuredContent).toMatchObject({
      appointments: [{ title: 'General visit', status: 'booked' }],
    });
    expect(JSON.stringify(listed._meta?.['chartseal/widget'])).toContain('SUMMARY:Visit at ');
    await widget.close();
  });

  test('an initialize of the older revisions that declares MCP Apps is remembered by its session id alone', async () => {
    const token = await house.token('john@example.com');
    const rpc = (method: string, params: object) => JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    const hello = (capabilities: object) =>
      rpc('initialize', {
        ...{ protocolVersion: '2025-11-25', capabilities },
        clientInfo: { name: 'old', version: '1' },
      });
    const list = rpc('tools/call', { name: 'listAppointments', arguments: {} });
    const plain = await house.post(hello({}), token);
    expect(plain.headers.get('mcp-session-id')).toBeNull();
    expect((await house.post(list, token)).json.result?._meta?.['chartseal/widget']).toBeUndefined();
    const session =
      (await house.post(hello({ extensions: APPS }), token)).headers.get('mcp-session-id') ?? '';
    const shown = await house.post(list, token, { 'mcp-session-id': session });
    expect(shown.json.result?._meta?.['chartseal/widget']).toMatchObject({ clinic: {} });
  });
});
