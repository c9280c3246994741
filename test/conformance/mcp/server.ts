import {
  type GetPromptResult,
  type InputRequiredResult,
  inputRequired,
  type PromptMessage,
  ProtocolError,
  ProtocolErrorCode,
  type ReadResourceResult,
  ResourceNotFoundError,
  type Server,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { type Caller, callTool } from '../../../src/mcp/call-tool.ts';
import { TOOLS } from '../../../src/mcp/catalog.ts';
import { createServer, TOOL_LISTINGS } from '../../../src/mcp/server.ts';
import { FIXTURE_LISTINGS, filled, fixtureOf, form, PNG, states } from './fixture-tools.ts';

/** Our own server with what the conformance suite wants to find on one: its tools, resources and prompts beside ours. */
export function conformanceServer(caller: Caller): Server {
  const server = createServer(caller, { requestState: { verify: states.verify } });
  server.registerCapabilities({ prompts: {}, completions: {} });
  addTools(server, caller);
  addResources(server);
  addPrompts(server);
  return server;
}

const TEMPLATE = /^test:\/\/template\/([^/]+)\/data$/;

function addTools(server: Server, caller: Caller): void {
  server.setRequestHandler('tools/list', () => ({ tools: [...TOOL_LISTINGS, ...FIXTURE_LISTINGS] }));
  server.setRequestHandler('tools/call', ({ params }, ctx) => {
    const own = TOOLS.find(({ name }) => name === params.name);
    if (own !== undefined) return callTool(own, params.arguments, caller);
    const fixture = fixtureOf(params.name);
    if (fixture === undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Unknown tool.');
    return fixture(ctx);
  });
}

function addResources(server: Server): void {
  const described = { description: 'For the conformance suite.' };
  server.setRequestHandler('resources/list', () => ({
    resources: [
      { uri: 'test://static-text', name: 'text', mimeType: 'text/plain', ...described },
      { uri: 'test://static-binary', name: 'image', mimeType: 'image/png', ...described },
    ],
  }));
  server.setRequestHandler('resources/templates/list', () => ({
    resourceTemplates: [{ uriTemplate: 'test://template/{id}/data', name: 'template', ...described }],
  }));
  server.setRequestHandler('resources/read', ({ params: { uri } }) => ({ contents: [contentOf(uri)] }));
}

function contentOf(uri: string): ReadResourceResult['contents'][number] {
  if (uri === 'test://static-text')
    return { uri, mimeType: 'text/plain', text: 'This is the content of the static text resource.' };
  if (uri === 'test://static-binary') return { uri, mimeType: 'image/png', blob: PNG };
  const id = TEMPLATE.exec(uri)?.[1];
  if (id === undefined) throw new ResourceNotFoundError(uri);
  const data = { id, templateTest: true, data: `Data for ID: ${id}` };
  return { uri, mimeType: 'application/json', text: JSON.stringify(data) };
}

const said = (text: string): PromptMessage => ({ role: 'user', content: { type: 'text', text } });

type Prompt = (
  args: Readonly<Record<string, string>>,
  ctx: ServerContext,
) => GetPromptResult | InputRequiredResult;
const PROMPTS: Readonly<Record<string, { readonly arguments: readonly string[]; readonly get: Prompt }>> = {
  test_simple_prompt: {
    arguments: [],
    get: () => ({ messages: [said('This is a simple prompt for testing.')] }),
  },
  test_prompt_with_arguments: {
    arguments: ['arg1', 'arg2'],
    get: ({ arg1, arg2 }) => ({ messages: [said(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)] }),
  },
  test_prompt_with_embedded_resource: {
    arguments: ['resourceUri'],
    get: ({ resourceUri = '' }) => {
      const text = 'Embedded resource content for testing.';
      const resource = { uri: resourceUri, mimeType: 'text/plain', text };
      const embedded: PromptMessage = { role: 'user', content: { type: 'resource', resource } };
      return { messages: [embedded, said('Please process the embedded resource above.')] };
    },
  },
  test_prompt_with_image: {
    arguments: [],
    get: () => {
      const content = { type: 'image', data: PNG, mimeType: 'image/png' } as const;
      return { messages: [{ role: 'user', content }, said('Please analyze the image above.')] };
    },
  },
  test_input_required_result_prompt: {
    arguments: [],
    get: (_args, ctx) => {
      const context = filled(ctx, 'user_context', 'context');
      if (context !== null) return { messages: [said(`In the context: ${context}`)] };
      const user_context = form('What context should the prompt use?', 'context');
      return inputRequired({ inputRequests: { user_context } });
    },
  },
};

function addPrompts(server: Server): void {
  server.setRequestHandler('prompts/list', () => ({
    prompts: Object.entries(PROMPTS).map(([name, prompt]) => ({
      name,
      description: 'For the conformance suite.',
      arguments: prompt.arguments.map((argument) => ({ name: argument, required: true })),
    })),
  }));
  server.setRequestHandler('prompts/get', ({ params }, ctx) => {
    const prompt = Object.hasOwn(PROMPTS, params.name) ? PROMPTS[params.name] : undefined;
    if (prompt === undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Unknown prompt.');
    return prompt.get(params.arguments ?? {}, ctx);
  });
  server.setRequestHandler('completion/complete', () => ({
    completion: { values: ['paris', 'park', 'party'], total: 3, hasMore: false },
  }));
}
