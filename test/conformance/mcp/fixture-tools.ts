import { setTimeout as sleep } from 'node:timers/promises';
import {
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  createRequestStateCodec,
  type InputRequest,
  type InputRequiredResult,
  inputRequired,
  MissingRequiredClientCapabilityError,
  type ServerContext,
} from '@modelcontextprotocol/server';

/** The tools that the conformance suite calls, as its scenarios describe them. */

type Answer = CallToolResult | InputRequiredResult;
type Fixture = (ctx: ServerContext) => Promise<Answer> | Answer;

/** One red pixel. */
export const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';
const WAV = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=';

export const states = createRequestStateCodec<string>({ key: Buffer.alloc(32, 7) });

const says = (text: string): CallToolResult => ({ content: [{ type: 'text', text }] });
const image = { type: 'image', data: PNG, mimeType: 'image/png' } as const;
const responsesOf = (ctx: ServerContext) => ctx.mcpReq.inputResponses ?? {};

/** A form with one required field. */
export const form = (message: string, field: string, type: 'string' | 'boolean' = 'string'): InputRequest =>
  inputRequired.elicit({
    message,
    requestedSchema: {
      type: 'object',
      properties: { [field]: type === 'string' ? { type } : { type } },
      required: [field],
    },
  });
const sample = (text: string, maxTokens: number): InputRequest =>
  inputRequired.createMessage({ messages: [{ role: 'user', content: { type: 'text', text } }], maxTokens });

/** What was filled into a form; null asks again. */
export function filled(ctx: ServerContext, key: string, field: string): string | null {
  const answer = responsesOf(ctx)[key] as { action?: unknown; content?: Record<string, unknown> } | undefined;
  const value = answer?.action === 'accept' ? answer.content?.[field] : undefined;
  return value === undefined ? null : String(value);
}

const declares = (ctx: ServerContext, capability: string): boolean =>
  Object.hasOwn(
    (ctx.mcpReq.envelope as Record<string, object> | undefined)?.[CLIENT_CAPABILITIES_META_KEY] ?? {},
    capability,
  );

async function withState(ctx: ServerContext, text: string): Promise<Answer> {
  if (filled(ctx, 'confirm', 'ok') !== null && ctx.mcpReq.requestState<string>() === 'asked')
    return says(text);
  const requestState = await states.mint('asked');
  return inputRequired({ inputRequests: { confirm: form('Please confirm', 'ok', 'boolean') }, requestState });
}

async function twoRounds(ctx: ServerContext): Promise<Answer> {
  const name = filled(ctx, 'step1', 'name');
  const state = ctx.mcpReq.requestState<string>();
  if (state?.startsWith('name:') === true && filled(ctx, 'step2', 'color') !== null)
    return says(`${state.slice('name:'.length)} likes ${filled(ctx, 'step2', 'color')}.`);
  if (state === 'start' && name !== null) {
    const requestState = await states.mint(`name:${name}`);
    const step2 = form('Step 2: What is your favorite color?', 'color');
    return inputRequired({ inputRequests: { step2 }, requestState });
  }
  const step1 = form('Step 1: What is your name?', 'name');
  return inputRequired({ inputRequests: { step1 }, requestState: await states.mint('start') });
}

async function three(ctx: ServerContext): Promise<Answer> {
  const keys = ['user_name', 'greeting', 'client_roots'];
  if (keys.every((key) => responsesOf(ctx)[key] !== undefined)) return says('All three answered.');
  return inputRequired({
    inputRequests: {
      user_name: form('What is your name?', 'name'),
      greeting: sample('Generate a greeting', 50),
      client_roots: inputRequired.listRoots(),
    },
    requestState: await states.mint('three'),
  });
}

const TOOLS: Readonly<Record<string, Fixture>> = {
  test_simple_text: () => says('This is a simple text response for testing.'),
  test_image_content: () => ({ content: [image] }),
  test_audio_content: () => ({ content: [{ type: 'audio', data: WAV, mimeType: 'audio/wav' }] }),
  test_embedded_resource: () => ({
    content: [
      {
        type: 'resource',
        resource: {
          uri: 'test://embedded-resource',
          mimeType: 'text/plain',
          text: 'This is an embedded resource content.',
        },
      },
    ],
  }),
  test_multiple_content_types: () => ({
    content: [
      { type: 'text', text: 'Multiple content types test:' },
      image,
      {
        type: 'resource',
        resource: {
          uri: 'test://mixed-content-resource',
          mimeType: 'application/json',
          text: '{"test":"data","value":123}',
        },
      },
    ],
  }),
  test_error_handling: () => ({
    ...says('This tool intentionally returns an error for testing'),
    isError: true,
  }),
  test_missing_capability: (ctx) => {
    if (declares(ctx, 'sampling')) return says('The client samples.');
    throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { sampling: {} } });
  },
  test_tool_with_progress: async (ctx) => {
    const progressToken = ctx.mcpReq._meta?.progressToken;
    for (const progress of [0, 50, 100]) {
      if (progressToken === undefined) continue;
      const params = { progressToken, progress, total: 100 };
      await ctx.mcpReq.notify({ method: 'notifications/progress', params });
      await sleep(20);
    }
    return says('All steps were done.');
  },
  test_logging_tool: async (ctx) => {
    await ctx.mcpReq.log('info', 'Only for whoever asked for it.');
    return says('Logged.');
  },
  test_streaming_elicitation: () =>
    inputRequired({ inputRequests: { user_name: form('What is your name?', 'name') } }),
  json_schema_2020_12_tool: () => says('For its schema alone.'),
  test_input_required_result_elicitation: (ctx) => {
    const name = filled(ctx, 'user_name', 'name');
    if (name !== null) return says(`Hello, ${name}!`);
    return inputRequired({ inputRequests: { user_name: form('What is your name?', 'name') } });
  },
  test_input_required_result_sampling: (ctx) => {
    const answer = responsesOf(ctx)['capital_question'];
    if (answer !== undefined) return says(`It was answered: ${JSON.stringify(answer)}`);
    const capital_question = sample('What is the capital of France?', 100);
    return inputRequired({ inputRequests: { capital_question } });
  },
  test_input_required_result_list_roots: (ctx) => {
    const answer = responsesOf(ctx)['client_roots'];
    if (answer !== undefined) return says(`The roots: ${JSON.stringify(answer)}`);
    return inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } });
  },
  test_input_required_result_request_state: (ctx) => withState(ctx, 'state-ok'),
  test_input_required_result_tampered_state: (ctx) => withState(ctx, 'The state is as it was.'),
  test_input_required_result_multi_round: twoRounds,
  test_input_required_result_multiple_inputs: three,
  test_input_required_result_capabilities: (ctx) =>
    inputRequired({
      inputRequests: {
        ...(declares(ctx, 'sampling') ? { greeting: sample('Generate a greeting', 50) } : {}),
        ...(declares(ctx, 'elicitation') ? { user_name: form('What is your name?', 'name') } : {}),
      },
    }),
};

/** The fixture of that name, if there is one. */
export const fixtureOf = (name: string): Fixture | undefined =>
  Object.hasOwn(TOOLS, name) ? TOOLS[name] : undefined;

/** Every keyword that a listing must carry through unchanged. */
const SCHEMA_2020_12 = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object' as const,
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema; nobody awaits it.
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
};

export const FIXTURE_LISTINGS = Object.keys(TOOLS).map((name) => ({
  name,
  description: 'For the conformance suite.',
  inputSchema: name === 'json_schema_2020_12_tool' ? SCHEMA_2020_12 : { type: 'object' as const },
}));
